"""Smoke tiers run to their ends: one in every pull request, the quick ones of the others before a release."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evabench.store.files import RunStore
from evabench.suite.shipped import shipped_suites

LONG = [
    pytest.param(suite, marks=pytest.mark.long)
    for suite in ("autoencoder", "language", "framework", "finetune", "mechanism")
]


@pytest.mark.parametrize("suite", [*LONG, "quadratic"])
def test_a_smoke_tier_runs_to_its_end_on_a_cpu(suite, tmp_path):
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    # A memory run takes whole cycles: five steps show what fifty do.
    file = tmp_path / f"{suite}.toml"
    file.write_text(shipped_suites()[suite].read_text().replace("refresh_every = 50", "refresh_every = 5"))
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "run", file.name, "--tier", "smoke", "--no-repeat"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    (path,) = Path(tmp_path).glob(f"results/{suite}/*/runs.jsonl")
    assert all(run.outcome.completed for run in RunStore(path).load())
    assert ("synthetic data" in done.stdout) == (suite in {"autoencoder", "finetune", "quadratic"})
