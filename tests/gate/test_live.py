"""A whole gate, with real processes: the project of somebody else, whose change adds what only a counter sees."""

import pytest

from evabench.gate.gate import Asked, run_gate
from evabench.gate.verdict import exit_code, findings
from tests.gate.repositories import commit, new_repository

SUITE = """
name = "own"
title = "Own"
description = "A test."
[workloads.small]
workload = "synthetic"
width = 16
depth = 1
batch = 4
[arms.Mine]
optimizer = "plugin"
name = "mine:Mine"
options = { lr = 0.01 }
[gate]
gated = ["small, Mine"]
ignored_bytes = 0
"""
OPTIMIZER = """
from torch.optim import SGD


class Mine(SGD):
    def step(self, closure=None):
        super().step(closure)
"""
MORE = OPTIMIZER + "        self.steps = float(self.param_groups[0]['params'][0].sum())\n"


@pytest.mark.long
def test_one_more_host_read_in_another_project_is_found_and_named(tmp_path):
    project = new_repository(tmp_path / "project", {"mine.py": OPTIMIZER, "own.toml": SUITE})
    commit(project, {"mine.py": MORE})
    report = run_gate(Asked(project=project, suite="own.toml", base="HEAD~1", head="HEAD", counted_only=True, jobs=2))
    assert exit_code(report) == 1
    assert any("host reads per cycle rose from 0 to 1" in one.text for one in findings(report))
    (project / "README.md").write_text("words")
    assert "documents" in run_gate(Asked(project=project, suite="own.toml", base="HEAD")).untouched
