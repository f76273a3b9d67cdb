"""What a user's environment says to Matplotlib never breaks or changes a picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from evabench.reporting.pictures.cost import step_time_picture
from evabench.reporting.pictures.styles import arm_looks
from tests.reporting.reports import report
(workload,) = report().workloads
print(step_time_picture(workload, arm_looks({arm.name: arm.optimizer for arm in workload.arms})).svg["dark"])
"""
STYLES = b"text.usetex: True\nlines.linewidth: 40\nsavefig.bbox: tight\naxes.prop_cycle: nonsense\nno setting\n"


def picture(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return picture(tmp_path_factory.mktemp("usual"))


def test_jupyters_backend_and_a_users_styles_change_no_picture(tmp_path, usual):
    (tmp_path / "styles").write_bytes(STYLES)
    backend = "module://matplotlib_inline.backend_inline"
    assert picture(tmp_path, MPLBACKEND=backend, MATPLOTLIBRC=str(tmp_path / "styles")) == usual


def test_a_matplotlibrc_in_the_folder_that_cannot_even_be_read_changes_no_picture(tmp_path, usual):
    (tmp_path / "matplotlibrc").write_bytes(STYLES + b"font.size: \xff\n")
    assert picture(tmp_path) == usual
