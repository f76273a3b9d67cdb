"""A wheel in an environment of its own, called inside a clone of the project: what is measured is what was called."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import evabench
from evabench.store.files import RunStore
from tests.cli.test_run import SUITE

ROOT = Path(evabench.__file__).parent.parent
SGD = '[arms.SGD]\noptimizer = "sgd"\nlr = 1.0\n\n'
EVA_MEMORY = SUITE.partition("[step_time]")[0].replace(SGD, "") + "[memory]\n"
BROKEN = "\n\nEva._update_ = lambda self: 1 / 0\n"

pytestmark = pytest.mark.long


def call(*words, folder, env=None):
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def done(*words, folder):
    ended = call(*words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return ended


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return the folder of a virtual environment with the wheel, which borrows every other package."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = shutil.copytree(
        ROOT, folder / "sources", ignore=shutil.ignore_patterns(".*", "results", "reports", "tests", "__pycache__")
    )
    done(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(sources), folder=folder)
    (wheel,) = folder.glob("*.whl")
    done(sys.executable, "-m", "venv", "--without-pip", "env", folder=folder)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    python = str(folder / "env/bin/python")
    install = ("--python", python, "install", "-q", "--no-deps", "--no-index", str(wheel))
    done(sys.executable, "-m", "pip", *install, folder=folder)
    return folder / "env"


@pytest.fixture
def clone(tmp_path):
    """Return a repository whose Eva cannot make a step, with a suite of Eva alone."""
    shutil.copytree(ROOT / "evabench", tmp_path / "evabench", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "evabench/optimizers/eva/eva.py").open("a") as file:
        file.write(BROKEN)
    (tmp_path / "tiny.toml").write_text(EVA_MEMORY)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all"]):
        done("git", *words, folder=tmp_path)
    return tmp_path


def run_in(clone, *command, env=None):
    results = clone / f"results-{len(list(clone.glob('results-*')))}"
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | (env or {})
    ended = call(*command, "run", "tiny.toml", "--results", str(results), folder=clone, env=plain)
    (path,) = results.glob("tiny/*/runs.jsonl")
    (run,) = RunStore(path).load()
    return ended.returncode, run


def test_the_command_of_a_wheel_measures_the_wheel_inside_a_clone(environment, clone):
    code, run = run_in(clone, str(environment / "bin/evabench"))
    assert (code, run.outcome.kind, run.code.commit) == (0, "completed", None)


def test_an_environment_inside_of_the_clone_changes_nothing(environment, clone):
    shutil.copytree(environment, clone / ".venv", symlinks=True)
    code, run = run_in(clone, str(clone / ".venv/bin/python"), str(clone / ".venv/bin/evabench"))
    assert (code, run.outcome.kind, run.code.commit) == (0, "completed", None)


def test_python_minus_m_inside_a_clone_measures_the_clone_and_names_it(environment, clone):
    """Python puts the folder of the call first on the path: so it is named, with its commit and its own hash."""
    _, wheel = run_in(clone, str(environment / "bin/evabench"))
    code, run = run_in(clone, str(environment / "bin/python"), "-m", "evabench")
    assert (code, run.outcome.kind) == (3, "crashed")
    assert run.code.commit == done("git", "rev-parse", "HEAD", folder=clone).stdout.strip()
    assert run.code.hashes["optimizer"] != wheel.code.hashes["optimizer"]


def test_a_wheel_unpacked_at_the_root_of_somebodys_repository_has_no_commit(environment, clone):
    (site,) = environment.glob("lib/python*/site-packages")
    other = clone / "other"
    other.mkdir()
    done("git", "init", "-q", folder=other)
    shutil.copytree(site / "evabench", other / "evabench", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "tiny.toml").write_text(EVA_MEMORY)
    done("git", "add", "tiny.toml", folder=other)
    done("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a suite", folder=other)
    code, run = run_in(other, str(environment / "bin/python"), "-m", "evabench")
    assert (code, run.outcome.kind, run.code.commit) == (0, "completed", None)
