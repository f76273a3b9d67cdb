"""A suite for a user's own model and data set, named as `path/to/file.py:Name`."""

from dataclasses import replace
from pathlib import Path

import pytest

from evabench.errors import SuiteError
from evabench.records.measurement import ConvergenceSettings
from evabench.records.request import Request
from evabench.settings.eva import EvaSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.worker.measure import measure
from evabench.worker.plugin import build_plugin_workload
from tests.runs import cell

HERE = Path(__file__).parent / "own_workload.py"
OWN = PluginWorkloadSettings(name=f"{HERE}:two_sides", options={"noise": 0.1}, batch=20, training_samples=200)


def test_it_is_trained_and_scored_like_any_other():
    training = ConvergenceSettings(steps=60, evaluate_every=30)
    own = replace(cell(optimizer=EvaSettings(lr=0.3), measurement=training), workload=OWN)
    curve = measure(Request(cell=own, seed=1, warmup_steps=0, timeout_seconds=60.0)).measured
    assert curve.evaluations[-1].validation_accuracy > 0.8
    assert curve.evaluations[-1].validation_loss < curve.evaluations[0].validation_loss
    assert curve.test_accuracy is not None


def test_what_makes_no_task_is_refused_by_what_it_made():
    with pytest.raises(SuiteError, match=r"made a Linear, which is no evabench\.workloads\.user\.Task"):
        build_plugin_workload(PluginWorkloadSettings(name=f"{HERE}:no_task", training_samples=200), seed=0)


def test_a_wrong_number_of_samples_is_told_with_the_right_one():
    wrong = PluginWorkloadSettings(name=f"{HERE}:two_sides", training_samples=300)
    with pytest.raises(SuiteError, match="has 200 samples to train on, but its suite says training_samples = 300"):
        build_plugin_workload(wrong, seed=0)
