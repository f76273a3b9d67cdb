"""`evabench gate --json`: one object, whichever way the gate is asked."""

import json
import subprocess
import sys

import pytest

from tests.gate.repositories import commit, new_repository
from tests.gate.test_live import MORE, OPTIMIZER, SUITE

TIMES = {"benchmarks": [{"fullname": "test_step", "stats": {"median": 0.001, "mean": 0.001, "data": [0.001]}}]}


def gate(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "evabench", "gate", *words, "--json", "--quiet"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    return new_repository(tmp_path / "project", {"mine.py": OPTIMIZER, "own.toml": SUITE})


def test_a_change_of_documents_alone_is_an_object_that_says_so(project):
    commit(project, {"README.md": "words"})
    done = gate(project, "own.toml", "--base", "HEAD~1")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["verb"] == "gate"
    assert told["answer"]["report"]["exit_code"] == 0
    assert any("documents" in line for line in told["answer"]["lines"])


def test_two_files_of_pytest_benchmark_are_lines(tmp_path):
    for side in ("base", "head"):
        (tmp_path / f"{side}.json").write_text(json.dumps(TIMES))
    done = gate(tmp_path, "--pytest-benchmark", "base.json", "head.json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)["answer"]
    assert answer["report"] is None
    assert any(line.startswith("test_step: 1.00") for line in answer["lines"])


@pytest.mark.long
def test_a_regression_is_in_the_object_and_in_the_exit_code(project):
    done = gate(project, "own.toml", "--refresh-baseline")
    assert done.returncode == 0, done.stderr
    assert "written" in json.loads(done.stdout)["answer"]["lines"][-1]
    (project / "mine.py").write_text(MORE)
    done = gate(project, "own.toml", "--counted")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)["answer"]
    assert answer["report"]["decision"] == "discard"
    assert any("host reads per cycle rose" in line for line in answer["lines"])
