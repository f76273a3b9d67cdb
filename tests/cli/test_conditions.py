"""`evabench run` on a machine whose GPU somebody else uses: the run says so, and its sweep is made again."""

import os
import subprocess
import sys

import pytest

from evabench.store.files import RunStore
from tests.nvml.stand_in import GPU_0, ONE_GPU, compile_stand_in, write_scenario

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."
decided_by = "autoencoder"

[workloads.small]
workload = "autoencoder"
widths = [784, 4]
batch = 50

[arms.SGD]
optimizer = "sgd"
lr = 1.0

[step_time]
sweeps = 1
"""


@pytest.mark.long
def test_a_sweep_beside_a_foreign_process_on_the_gpu_is_made_again_and_both_are_shown(tmp_path):
    if compile_stand_in(tmp_path) is None:
        pytest.skip("no C compiler (cc)")
    write_scenario(tmp_path / "scenario", {**ONE_GPU, "gpu.0.compute": "4194305:1024"})  # no process has this number
    (tmp_path / "tiny.toml").write_text(SUITE)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), "EVABENCH_STAND_IN": str(tmp_path / "scenario")}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "run", "tiny.toml"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    words = " ".join((done.stderr + done.stdout).split())
    assert "small, sweep 1 was disturbed and made again: SGD" in words
    assert f"first: SGD: GPU {GPU_0} was shared with another process." in words
    assert f"second: SGD: GPU {GPU_0} was shared with another process." in words
    (path,) = tmp_path.glob("results/tiny/*/runs.jsonl")
    runs = RunStore(path).load()
    assert [(run.visit.sweep, run.visit.repeated) for run in runs] == [(0, False), (1, False), (1, True)]
    assert {gpu.foreign_processes for run in runs for gpu in run.conditions.gpus} == {1}
