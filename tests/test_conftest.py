"""The suite's own rules: no test is missed in silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip('no moon')\n"
EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_expected(): assert False\n"
CUDA = "import pytest\n@pytest.mark.cuda\ndef test_gpu(): assert False\n"


@pytest.fixture(params=[pytest.param("0", id="one process"), pytest.param("2", id="xdist", marks=pytest.mark.long)])
def run(request, tmp_path):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cuda: needs a GPU\n")

    def start(*sources, no_skips):
        for index, source in enumerate(sources):
            (tmp_path / f"test_{index}.py").write_text(source)
        words = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n", request.param, "-p", "no:cacheprovider"]
        environment = {
            **os.environ,
            "EVABENCH_NO_SKIPS": no_skips,
            "CUDA_VISIBLE_DEVICES": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the other plugins take longer to import than all of this to run
        }
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return start


def test_a_skip_is_named_and_passes_on_a_developers_machine(run):
    done = run(PASSES, SKIPS, no_skips="0")
    assert done.returncode == 0
    assert "test_1.py::test_skips: no moon" in done.stdout


def test_a_skip_is_a_failure_where_none_is_allowed(run):
    done = run(PASSES, SKIPS, no_skips="1")
    assert done.returncode == 1
    assert "test_1.py::test_skips: no moon" in done.stdout


def test_without_a_skip_nothing_fails(run):
    assert run(PASSES, EXPECTED, no_skips="1").returncode == 0


def test_tests_marked_cuda_are_deselected_and_their_number_is_printed(run):
    done = run(PASSES, CUDA, no_skips="1")
    assert done.returncode == 0, done.stdout
    assert "1 tests marked cuda deselected" in done.stdout
