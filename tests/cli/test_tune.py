"""`evabench run SUITE --tune`, from end to end: trials, the choice, and what to write into the file."""

import os
import subprocess
import sys

import pytest

from evabench.machine.host import read_host
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from tests.cli import in_process

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."

[workloads.small]
workload = "autoencoder"
widths = [784, 8]
batch = 500

[arms.SGD]
optimizer = "sgd"
lr = 0.1

[arms."My own"]
optimizer = "plugin"
name = "mine.py:Mine"
options = { lr = 0.1 }

[convergence]
seeds = 1
steps = 4
evaluate_every = 2

[tuning]
seeds = 1

[tuning.arms]
SGD = { lr = [0.01, 0.1, 1e9] }
"My own" = { lr = [0.001, 0.01, 0.1] }
"""
MINE = "import torch\n\n\nclass Mine(torch.optim.SGD):\n    pass\n"


def write(folder):
    (folder / "tiny.toml").write_text(SUITE)
    (folder / "mine.py").write_text(MINE)


def evabench(folder, *words):
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "evabench", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.long
def test_trials_are_made_once_and_what_they_choose_is_said_with_what_to_write(tmp_path):
    write(tmp_path)
    done = evabench(tmp_path, "run", "tiny.toml", "--tune", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "6 runs to make, 0 stored." in done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(("SGD ", "My own "))]
    assert rows[0][:5] == ["SGD", "3", "1", "lr", "0.1"]  # points, failed, best
    assert "My own: the best lr, 0.1, is the largest that was tried." in done.stdout
    assert 'The best first-order arm is SGD: a target that runs set takes reference = "SGD".' in done.stdout
    assert '[arms.SGD]\nlr = 0.1\n\n[arms."My own"]\noptions = { lr = 0.1 }' in done.stdout

    stored = RunStore(tmp_path / "results" / "tiny" / read_host().id / "runs.jsonl").load()
    assert {(run.cell.role, run.seed) for run in stored} == {("tuning", 1000)}
    again = in_process.evabench(tmp_path, "run", "tiny.toml", "--tune")
    assert "Nothing to run" in again.stderr
    assert "[arms.SGD]" in again.stdout
    judged = in_process.evabench(tmp_path, "run", "tiny.toml", "--dry-run", "--probe-seconds", "0")
    assert "2 runs to make, 0 stored." in judged.stderr


def test_what_to_write_is_toml_that_makes_the_suite_its_own_choice(tmp_path):
    write(tmp_path)
    (tmp_path / "chosen.toml").write_text(
        SUITE.replace("lr = 0.1\n", "lr = 1.0\n").replace("options = { lr = 0.1 }", "options = { lr = 0.3 }")
    )
    before, after = (load_suite(str(tmp_path / name)).trial_cells() for name in ("tiny.toml", "chosen.toml"))
    assert [cell.identity for cell in before] == [cell.identity for cell in after]


def test_a_suite_without_tuning_is_refused_and_so_is_a_number_of_seeds(tmp_path):
    write(tmp_path)
    (tmp_path / "plain.toml").write_text(SUITE.split("[tuning]")[0])
    refused = in_process.evabench(tmp_path, "run", "plain.toml", "--tune")
    assert (refused.returncode, "has no [tuning]" in refused.stderr) == (2, True)
    refused = in_process.evabench(tmp_path, "run", "tiny.toml", "--tune", "--seeds", "3")
    assert (refused.returncode, "stands in [tuning] seeds" in refused.stderr) == (2, True)
