"""A target that an arm's own runs set, from end to end: first those runs, then its line, then what is judged by it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evabench.machine.host import read_host
from evabench.store.files import RunStore
from evabench.store.targets import TargetStore
from tests.cli import in_process

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."

[workloads.small]
workload = "autoencoder"
widths = [784, 16, 4]
batch = 100

[arms.SGD]
optimizer = "sgd"
lr = 0.3

[arms.Eva]
optimizer = "eva"

[convergence]
seeds = 2
steps = 12
evaluate_every = 2

[convergence.targets.small]
reference = "SGD"
at = 0.75
"""
PROVENANCE = "set by SGD: 8 of 8 target-setting seeds reach it within 75 % of the budget"


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "tiny.toml").write_text(SUITE)
    return tmp_path


def evabench(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "evabench", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def stored(folder) -> list:
    files = list(Path(folder).glob("results/tiny/*/runs.jsonl"))
    return list(RunStore(files[0]).load()) if files else []


def targets_file(folder) -> Path:
    (runs,) = Path(folder).glob("results/tiny/*/runs.jsonl")
    return runs.with_name("targets.jsonl")


def words(text):
    return " ".join(text.split())


@pytest.mark.long
def test_a_target_is_set_first_and_the_judged_runs_carry_its_hash(suite, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = evabench(suite, "run", "tiny.toml")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "12 runs to make, 0 stored." in done.stderr
    assert "8 of them set a target and come first; 4 are judged by it." in done.stderr
    (target,) = TargetStore(targets_file(suite)).load()
    setting, judged = stored(suite)[:8], stored(suite)[8:]
    assert sorted(run.seed for run in setting) == list(range(2000, 2008))
    assert all(run.cell.sets_target for run in setting)
    assert target.run_keys == tuple(run.key for run in sorted(setting, key=lambda run: run.seed))
    assert target.easier >= target.value >= target.harder
    assert [run.cell.target for run in judged] == [target.hash] * 4
    assert PROVENANCE in words(done.stdout)

    line = targets_file(suite).read_text()
    targets_file(suite).unlink()  # it follows from the runs
    again = in_process.evabench(suite, "run", "tiny.toml")
    assert (again.returncode, "Nothing to run" in again.stderr) == (0, True)
    assert targets_file(suite).read_text() == line
    assert PROVENANCE in words(in_process.evabench(suite, "show", "tiny.toml").stdout)
    report = in_process.evabench(suite, "report", "tiny.toml")
    assert report.returncode == 0, report.stderr
    for name in ("report.md", "index.html"):
        assert PROVENANCE in words((suite / "reports/tiny" / name).read_text())

    # Another share: another target from the same runs. The judged runs are not used until they are made again.
    (suite / "tiny.toml").write_text(SUITE.replace("at = 0.75", "at = 0.8"))
    shown = in_process.evabench(suite, "show", "tiny.toml")
    assert "4 stored training runs carry no target, or another than the one that is set now" in words(shown.stdout)


@pytest.mark.long
def test_after_a_kill_among_the_target_runs_the_next_call_goes_on_and_makes_nothing_twice(suite):
    parent = subprocess.Popen(
        [sys.executable, "-m", "evabench", "run", "tiny.toml"],
        cwd=suite,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not stored(suite) and time.monotonic() < deadline:
        time.sleep(0.01)  # polls for an event, with an end: no race is hidden by it
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    before = stored(suite)
    assert before
    again = evabench(suite, "run", "tiny.toml")
    assert again.returncode == 0, again.stderr + again.stdout
    (path,) = suite.glob("results/tiny/*/runs.jsonl")
    assert stored(suite)[: len(before)] == before
    assert len(path.read_text().splitlines()) == 12
    assert len(TargetStore(targets_file(suite)).load()) == 1


def test_a_bad_line_of_the_targets_is_told_before_anything_is_run_and_stops_nothing(suite):
    path = suite / "results" / "tiny" / read_host().id / "targets.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("[]\n")
    done = in_process.evabench(suite, "run", "tiny.toml", "--dry-run", "--probe-seconds", "0")
    assert done.returncode == 0, done.stderr
    assert "targets.jsonl, line 1: not used: this is no target of evabench." in words(done.stderr)
    assert [one.name for one in path.parent.iterdir()] == ["targets.jsonl"]
    assert path.read_text() == "[]\n"


def test_a_dry_run_lists_and_estimates_the_runs_that_set_a_target(suite):
    done = in_process.evabench(suite, "run", "tiny.toml", "--dry-run", "--probe-seconds", "0")
    assert done.returncode == 0, done.stderr
    assert "  small, SGD: 8 convergence to set the target, 2 convergence when its target is set" in done.stdout
    assert "  small, Eva: 2 convergence when its target is set" in done.stdout
    setting, judged = (words(line) for line in done.stdout.splitlines() if line.startswith("  convergence"))
    assert setting.startswith("convergence (target) 8 ")
    assert judged.startswith("convergence 4 ")
    assert stored(suite) == []


@pytest.mark.long
def test_a_reference_that_diverges_sets_no_target_and_nothing_is_judged(suite):
    (suite / "tiny.toml").write_text(SUITE.replace("lr = 0.3", "lr = 1e30"))
    done = evabench(suite, "run", "tiny.toml")
    assert done.returncode == 3
    assert "small has no target: there is no validation loss that 8 of 8 target-setting runs of SGD" in words(
        done.stdout
    )
    assert len(stored(suite)) == 8
