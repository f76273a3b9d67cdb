"""Our own verbs against those of another commit, as pairs by the gate's rules: `make bench-gate BASE=main`.

The base is laid out from git. A call is a whole process of either side, on the same stored runs.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evabench.gate.repository import find_repository

HERE = Path(__file__).parents[2]
RUNS = HERE / "results/reference/peers/runs.jsonl"
VERBS = [["--help"], ["list"], ["compare", str(RUNS), str(RUNS)], ["show", "peers", "--runs", str(RUNS)]]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("base")
    repository = find_repository(HERE, scratch / "git")
    repository.lay_out(repository.revision(os.environ.get("EVABENCH_BENCH_BASE", "HEAD")), scratch / "checkout")
    return scratch / "checkout"


def call(checkout, words, folder):
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "evabench", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_verb_takes_no_longer_than_at_the_base(paired_benchmark, base, words, tmp_path):
    paired_benchmark(lambda: call(base, words, tmp_path), lambda: call(HERE, words, tmp_path), margin=0.05)
