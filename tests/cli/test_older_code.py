"""An edit of an optimizer: what was measured before it is kept, named, and not used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import evabench
from tests.cli.test_run import SHORT, SUITE, stored

MEMORY_ONLY = SUITE[: SUITE.index("[step_time]")] + "[memory]\n"


@pytest.fixture
def copy(tmp_path):
    """A copy of the package that may be edited."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(evabench.__file__).parent, tmp_path / "evabench", ignore=ignored)
    return tmp_path


def run(folder, suite, *words):
    (folder / "tiny.toml").write_text(suite)
    done = subprocess.run(
        [sys.executable, "-m", "evabench", "run", "tiny.toml", "--no-repeat", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return " ".join((done.stderr + done.stdout).split())


@pytest.mark.long
def test_after_an_edit_of_an_optimizer_its_own_runs_are_made_again_and_the_old_ones_are_counted_and_kept(copy):
    run(copy, SHORT)
    before = stored(copy)
    with (copy / "evabench/optimizers/eva/eva.py").open("a") as file:
        file.write("# an edit\n")
    told = run(copy, SHORT)
    assert "4 stored runs of older code: kept in the file, and not used." in told
    assert "6 runs to make, 4 stored." in told  # a sweep as a whole, with the visits of SGD
    after = stored(copy)
    old_keys = {made.key for made in before}
    assert len(after) == 12
    assert old_keys < {made.key for made in after}
    assert {made.cell.arm for made in after if made.key not in old_keys} == {"Eva"}


@pytest.mark.long
def test_an_edit_outside_the_child_makes_nothing_again(copy):
    run(copy, MEMORY_ONLY)
    with (copy / "evabench/cli/show.py").open("a") as file:
        file.write("# an edit\n")
    told = run(copy, MEMORY_ONLY, "--dry-run")
    assert "older code" not in told
    assert "Nothing to run" in told
