"""What fails before any optimizer has made a step is the workload's fault, whichever arm met it."""

import pytest

from evabench.records.measurement import ConvergenceSettings, MemorySettings
from evabench.records.request import Request
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.worker.main import perform
from tests.runs import cell

TRAINING = ConvergenceSettings(steps=4, evaluate_every=2)
WHOSE = "the workload is at fault, and no arm: "
EVALUATED = "its model cannot be evaluated before training"


def outcome(name, measurement=TRAINING, arm="SGD", **options):
    place = f"tests.worker.own_workload:{name}"
    own = PluginWorkloadSettings(name=place, options=options, batch=20, training_samples=200)
    made = cell(arm, measurement, net=own, optimizer=SgdSettings(lr=0.1))
    return perform(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60)).outcome


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("unjudgeable", {}, f"{EVALUATED}: IndexError: no such head"),
        ("unjudgeable", {"fault": "nan"}, "its validation loss is not finite before training"),
        ("unmade", {}, "it cannot be made: OSError: the disk is on fire"),
    ],
)
def test_a_workload_that_fails_before_the_first_step_is_named_and_no_arm(name, options, told):
    found = outcome(name, **options)
    assert found.kind == "crashed"
    assert found.reason.startswith(WHOSE + told)


def test_the_same_model_can_be_measured_where_nothing_is_evaluated():
    assert outcome("unjudgeable", MemorySettings()).completed


def test_every_arm_tells_it_in_the_same_words_so_that_it_is_told_once():
    assert outcome("unjudgeable", arm="SGD").reason == outcome("unjudgeable", arm="Eva").reason


@pytest.mark.parametrize(("fault", "told"), [("full", "/cache: it cannot be written: "), ("damaged", "delete it")])
def test_a_full_disk_or_a_damaged_data_set_is_lost_and_no_outcome_of_an_arm(fault, told):
    found = outcome("without_its_data", MemorySettings(), fault=fault)
    assert found.kind == "lost"
    assert told in found.reason
