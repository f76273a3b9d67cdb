"""A suite whose public implementations are not installed: their arms fail with the way out, the others run."""

import os
import subprocess
import sys

from evabench.store.files import RunStore

SUITE = """
name = "mixed"
title = "Ours and theirs"
description = "One arm of each."

[workloads.tiny]
workload = "autoencoder"
data = "fashion_mnist_subset"
widths = [784, 4]
batch = 50

[arms.SGD]
optimizer = "sgd"
lr = 0.1

[arms.ASDL]
optimizer = "plugin"
name = "evabench.peers.asdl:KFAC"
takes_model = true

[convergence]
seeds = 1
steps = 4
evaluate_every = 2
"""


def test_the_arms_that_need_it_fail_with_the_way_out_and_the_others_run(tmp_path):
    (tmp_path / "mixed.toml").write_text(SUITE)
    hidden = tmp_path / "hidden"  # before the installed packages on the path of the child too
    hidden.mkdir()
    (hidden / "asdl.py").write_text("raise ModuleNotFoundError(\"No module named 'asdl'\", name='asdl')\n")
    path = os.pathsep.join([str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "run", "mixed.toml"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    (stored,) = tmp_path.glob("results/mixed/*/runs.jsonl")
    outcomes = {run.cell.arm: run.outcome for run in RunStore(stored).load()}
    assert outcomes["SGD"].completed
    assert outcomes["ASDL"].kind == "crashed"
    assert "pip install 'evabench[peers]'" in outcomes["ASDL"].reason
