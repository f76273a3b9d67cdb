"""Folders, descriptors and readers as they are on other people's machines."""

import os
import subprocess
import sys

import pytest

from evabench.records.request import read_imported
from evabench.store.files import RunStore
from tests.cli.in_process import evabench as in_process
from tests.cli.test_run import SUITE
from tests.full_disk import full_disk

MEMORY_ONLY = SUITE.partition("[step_time]")[0] + "[memory]\n"
TRAP = "raise RuntimeError('this file lies beside the suite, and is none of ours')\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with a suite, another evabench, and files with the names of modules of Python."""
    (tmp_path / "tiny.toml").write_text(MEMORY_ONLY)
    (tmp_path / "evabench").mkdir()
    for name in ("evabench/__init__.py", "random.py", "profile.py", "torch.py"):
        (tmp_path / name).write_text(TRAP)
    return tmp_path


def stored(folder):
    (path,) = folder.glob("results/tiny/*/runs.jsonl")
    return RunStore(path).load()


def test_a_run_measures_its_own_package_where_its_reader_leaves_and_standard_error_is_closed(folder):
    """One run for all of these: what they have in common is that none of them may change it."""
    words = [sys.executable, "-P", "-m", "evabench", "run", "tiny.toml"]
    parent = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    parent.stdout.close()
    assert parent.wait() == 0
    assert [run.outcome.kind for run in stored(folder)] == ["completed", "completed"]


@pytest.mark.parametrize("verb", ["list", "--help"])
def test_a_reader_who_leaves_is_no_error(verb):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "evabench", verb], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_report_is_written_where_its_reader_leaves(run_once):
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "evabench", "report", "tiny.toml"]
    done = subprocess.run(words, cwd=run_once, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (run_once / "reports" / "tiny" / "index.html").exists()


def test_a_full_disk_behind_standard_output_is_a_message_and_no_crash():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "evabench", "list"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 6
    assert done.stderr == b"evabench: error: the output cannot be written: No space left on device\n"


def test_a_results_file_or_a_report_on_a_full_disk_is_a_message_and_the_exit_code_of_output(run_once):
    (path,) = run_once.glob("results/tiny/*/runs.jsonl")
    with path.open("a") as file:
        file.write('{"schema": ')  # torn by a crash: the next run moves it aside
    for verb in ("run", "report"):
        with full_disk():
            done = in_process(run_once, verb, "tiny.toml")
        assert (done.returncode, "File too large. Make room for it" in done.stderr) == (6, True)
    assert [path for path in run_once.glob("reports/tiny/**/*") if path.is_file()] == []  # half a page is none


def test_a_results_folder_that_cannot_be_made_has_the_exit_code_of_output(folder):
    done = in_process(folder, "run", "tiny.toml", "--results", "tiny.toml")
    assert done.returncode == 6
    assert "it cannot be written: Not a directory. Make room for it, or choose" in done.stderr


@pytest.mark.parametrize("error", ["ZeroDivisionError", "EOFError", "BrokenPipeError(32, 'Broken pipe')"])
def test_a_crash_never_has_the_exit_code_of_a_regression(error):
    text = "from evabench.cli.main import app, main\n"
    text += f"@app.command()\ndef crash(): raise {error}\n"
    text += "import sys; sys.argv[1:] = ['crash']; main()"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert error.partition("(")[0] in done.stderr
    assert done.stderr.endswith("this is a fault of evabench itself. Please report it with the lines above.\n")


def test_an_edit_of_what_runs_in_a_child_is_another_hash_and_one_of_the_parents_side_is_none(tmp_path):
    (tmp_path / "optimizers").mkdir()
    (tmp_path / "optimizers" / "eva.py").write_text("lr = 1")
    before = read_imported(tmp_path)
    (tmp_path / "cli.py").write_text("lr = 3")
    assert read_imported(tmp_path) == before
    (tmp_path / "optimizers" / "eva.py").write_text("lr = 2")
    assert read_imported(tmp_path) != before
