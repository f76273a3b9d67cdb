"""CPU seconds and peak memory of the parent where a suite has many stored runs: `make bench`.

Each verb is called once, in a process of its own, on a store of real line shapes (`large_store.py`). CPU time, because
other programs do not count in it. A missed goal is a line of the table, shown with its figures.
"""

import os
import subprocess
import sys

import pytest

from tests.benchmarks.large_store import SUITE, write_store

TIMES = int(os.environ.get("EVABENCH_BENCH_TIMES", "800"))  # 9,636 runs
VERBS = {
    "show": ["show", SUITE],
    "dry run": ["run", SUITE, "--seeds", str(TIMES + 1), "--dry-run", "--probe-seconds", "0"],  # one seed is left
    "report": ["report", SUITE],
}
# CPU seconds at 9,636 runs; in proportion for another number, as all of it has to grow.
GOALS = {"show": 5.0, "dry run": 5.0, "report": 15.0}
MAX_MIB = 500


def measure(folder, words):
    """Return CPU seconds, peak MiB of one call, and its exit code."""
    with (folder / "told.txt").open("wb") as told:
        child = subprocess.Popen([sys.executable, "-m", "evabench", *words], cwd=folder, stdout=told, stderr=told)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, child.returncode


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    return folder, write_store(folder, TIMES)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.timeout(3600)
def test_a_verb_on_many_stored_runs(benchmark, store, verb):
    folder, num_runs = store
    seconds, mebibytes, code = benchmark.pedantic(measure, (folder, VERBS[verb]), rounds=1)
    assert code == 0, (folder / "told.txt").read_text()
    goal = GOALS[verb] * max(1.0, num_runs / 9636)
    verdict = "met" if seconds <= goal and mebibytes <= MAX_MIB * max(1.0, num_runs / 9636) else "missed"
    page = folder / "reports" / "large" / "index.html"
    size = f", page {page.stat().st_size / 1e6:.1f} MB" if verb == "report" else ""
    benchmark.extra_info.update(seconds=seconds, mebibytes=mebibytes, goal=goal, verdict=verdict)
    print(
        f"\n| {num_runs:,} | {verb} | {seconds:.1f} s | <= {goal:.0f} s | {mebibytes:.0f} MiB{size} | {verdict} |",
        end="",
        flush=True,
    )
