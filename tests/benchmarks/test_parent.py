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


# VmHWM and not `ru_maxrss`, which begins with what the caller had when it made the process.
PROGRAM = """
import re, sys, time
from pathlib import Path
from evabench.cli.main import main
code = 0
try:
    main()
except SystemExit as ended:
    code = ended.code
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(time.process_time(), int(peak) / 1024, file=sys.stderr)
sys.exit(code)
"""


def measure(folder, words):
    """Return CPU seconds and peak MiB of one call."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    seconds, mebibytes = map(float, done.stderr.splitlines()[-1].split())
    return seconds, mebibytes


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    return folder, write_store(folder, TIMES)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.timeout(3600)
def test_a_verb_on_many_stored_runs(benchmark, store, verb):
    folder, num_runs = store
    seconds, mebibytes = benchmark.pedantic(measure, (folder, VERBS[verb]), rounds=1)
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
