"""Work hidden outside `step` is found, named and sized, in real runs.

What is planted is large beside its bound, and the bounds are from below: a busy machine only adds.
"""

from pathlib import Path

import pytest

from evabench.launch.server import LaunchServer
from evabench.records.measurement import MemorySettings, PhasesSettings, StepTimeSettings
from evabench.records.request import Request
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import SMALL, cell
from tests.worker.hiding import LEAKED_BYTES, PLANTED_BYTES, PLANTED_SECONDS

AT_LEAST = 0.8 * PLANTED_SECONDS
FEW_PHASES = PhasesSettings(min_steps=5, min_warmup_steps=1)
FEW_STEPS = StepTimeSettings(min_steps=10)


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="hidden work") as started:
        yield started


def measure(server, optimizer, measurement, *, threads=1):
    if isinstance(optimizer, str):
        optimizer = PluginSettings(name=f"{Path(__file__).parent / 'hiding.py'}:{optimizer}", options={"lr": 0.1})
    made = cell(optimizer=optimizer, measurement=measurement, net=SMALL, threads=threads)
    reply = server.perform(Request(cell=made, seed=1, warmup_steps=2, timeout_seconds=60))
    assert reply.outcome.completed, reply.outcome
    return reply.measured


PLACES = {"SleepsInHook": "backward", "SleepsInZeroGrad": "zero_grad", "SleepsInStep": "fused"}


@pytest.mark.parametrize("name", PLACES)
def test_a_planted_sleep_of_10_ms_is_part_of_the_step_time(server, name):
    assert measure(server, name, FEW_STEPS).plain_seconds >= AT_LEAST


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_a_planted_sleep_of_10_ms_is_named_by_its_phase_and_by_no_other(server, name, place):
    parts = measure(server, name, FEW_PHASES).amortised
    assert parts.pop(place) >= AT_LEAST
    assert max(parts.values()) < AT_LEAST


def test_work_in_a_thread_beside_the_step_is_sized_and_counted(server):
    beside = measure(server, "ComputesBeside", FEW_STEPS).side_work
    assert beside.suspicious
    assert beside.cpu_seconds_per_step >= AT_LEAST
    assert beside.num_threads >= 1


@pytest.mark.parametrize("optimizer", [SgdSettings(lr=0.1), EvaSettings()], ids=["SGD", "Eva"])
def test_an_optimizer_without_threads_does_nothing_beside_the_step(server, optimizer):
    beside = measure(server, optimizer, FEW_STEPS).side_work
    assert not beside.suspicious
    assert beside.num_threads == 0


def test_threads_of_torchs_own_are_not_taken_for_hidden_work(server):
    assert measure(server, SgdSettings(lr=0.1), FEW_STEPS, threads=2).side_work is None


@pytest.mark.parametrize(
    ("name", "phase"),
    [("AllocatesInHook", "backward"), ("AllocatesInStep", "optimizer"), ("AllocatesInZeroGrad", "optimizer")],
)
def test_a_planted_temporary_of_64_MiB_is_sized_and_placed(server, name, phase):
    found = measure(server, name, MemorySettings())
    assert found.peak_phase == phase
    assert found.peak.temporaries >= PLANTED_BYTES
    assert found.allocator_peak_bytes >= PLANTED_BYTES


def test_a_planted_leak_of_1_MiB_a_step_is_sized(server):
    found = measure(server, "Leaks", MemorySettings())
    assert found.leaks
    assert found.leak_bytes_per_step == LEAKED_BYTES


def test_nothing_is_kept_where_nothing_leaks(server):
    found = measure(server, EvaSettings(), MemorySettings())
    assert (found.leaks, found.kept_bytes) == (False, 0)
