"""`evabench run` on a GPU that somebody else uses: the run says so, its sweep is made again, and the page has it."""

import pytest

from tests.nvml.stand_in import GPU_0, ONE_GPU, write_scenario
from tests.standin_device.command import evabench, stored

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
SHARED = f"GPU {GPU_0} was shared with another process."


@pytest.mark.long
def test_a_sweep_beside_a_foreign_process_on_the_gpu_is_made_again_and_both_are_shown(standin, stand_in, tmp_path):
    write_scenario(tmp_path / "scenario", {**ONE_GPU, "gpu.0.compute": "4194305:1024"})  # no process has this number
    (tmp_path / "tiny.toml").write_text(SUITE)
    with_nvml = {
        "LD_LIBRARY_PATH": str(stand_in.scenario_file.parent),
        "EVABENCH_STAND_IN": str(tmp_path / "scenario"),
        "CUDA_VISIBLE_DEVICES": "0",
    }
    done = evabench(tmp_path, "run", "tiny.toml", "--device", "standin", uuids=GPU_0, variables=with_nvml)
    assert done.returncode == 0, done.stderr + done.stdout
    words = " ".join((done.stderr + done.stdout).split())
    assert "small, sweep 1 was disturbed and made again: SGD" in words
    assert f"first: SGD: {SHARED}" in words
    assert f"second: SGD: {SHARED}" in words
    runs = stored(tmp_path, "tiny")
    assert [(run.visit.sweep, run.visit.repeated) for run in runs] == [(0, False), (1, False), (1, True)]
    assert {gpu.foreign_processes for run in runs for gpu in run.conditions.gpus} == {1}
    warning = f"2 of 2 timed runs that count were disturbed. One of them: {SHARED}"  # the pilot is one of them
    assert warning in " ".join(done.stdout.split())
    assert evabench(tmp_path, "report", "tiny.toml").returncode == 0
    assert warning in (tmp_path / "reports/tiny/report.md").read_text()
