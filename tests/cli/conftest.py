"""The tiny suite, really run once for all tests and all workers of pytest-xdist."""

import os
import shutil

import pytest
from filelock import FileLock

from tests.cli.test_run import SUITE, evabench


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory):
    """Return a folder, not to be changed, with a suite that has been run once, and what that printed: `told.txt`."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny"
    with FileLock(f"{folder}.lock"):
        if not (folder / "told.txt").exists():
            folder.mkdir()
            (folder / "tiny.toml").write_text(SUITE)
            # --no-repeat: other work on this machine must not change the number of runs.
            done = evabench(folder, "run", "tiny.toml", "--no-repeat")
            assert done.returncode == 0, done.stderr + done.stdout
            (folder / "told.txt").write_text(done.stderr + done.stdout)
    return folder


@pytest.fixture
def run_once(shared_run, tmp_path):
    """Return a folder of one's own with the suite and its runs."""
    shutil.copytree(shared_run, tmp_path, dirs_exist_ok=True)
    return tmp_path
