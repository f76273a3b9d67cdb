"""Makes whole gates of real processes under load: of equal sides, and of a head whose step is really slower.

    python -m tools.gate_live --slower 0.2 --gates 5 [--load 2] [--out results/reference/gate-live/under-load.jsonl]
    python -m tools.gate_live --table

Each gate is `evabench gate --base HEAD~1 --head HEAD` in a fresh clone of this repository, of a suite with one short
cell. The commit that it judges adds a remark to Eva, and with `--slower` a loop that takes so much of a step's CPU
time, inside the mark `precondition`: what else is busy makes loop and step longer alike. A line is written for each
gate as soon as it is made, so that a call may be stopped and repeated.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from evabench.gate.asked import read_gated_suite
from evabench.launch.server import LaunchServer
from evabench.machine.host import read_host
from evabench.records.request import Request
from evabench.records.step_time import StepTime
from tools.gate_pairs import CELL, WARM_UP_STEPS, busy

OUT = Path("results/reference/gate-live/under-load.jsonl")
SUITE = """
name = "one-cell"
title = "The shortest cell of ci"
description = "A gate of one cell."
threads = 1

[workloads.autoencoder-small]
workload = "autoencoder"
data = "fashion_mnist_subset"
widths = [784, 128, 64, 32]
batch = 100

[arms.Eva]
optimizer = "eva"

[gate]
gated = ["autoencoder-small, Eva"]
ignored_bytes = 16384
"""
FILE = Path("evabench/optimizers/eva/eva.py")
PLACE = "        self.troubles.count_failure(broken)\n"
IMPORTS = "from functools import partial\n"
REMARK = "        # Nothing differs but this remark.\n"
LOOP = """        with phase("precondition"):
            end = thread_time() + {seconds!r}
            while thread_time() < end:
                pass
"""
_NUM_VISITS = 5
_LAYERS = ("own_time", "step")


def step_cpu_seconds() -> float:
    """Return the CPU time of a step of the cell, the median of a few visits."""
    cell = read_gated_suite("ci", Path()).cells()[CELL]
    found = []
    with LaunchServer(layout_seed="a step") as server:
        for seed in range(_NUM_VISITS):
            request = Request(cell=cell, seed=seed, warmup_steps=WARM_UP_STEPS, timeout_seconds=600.0)
            measured = server.perform(request).measured
            assert isinstance(measured, StepTime), f"{CELL} was not measured: {measured}"
            assert measured.cpu_seconds is not None
            found.append(sum(measured.cpu_seconds) / len(measured.step_seconds))
    return median(found)


def changed(text: str, loop_seconds: float) -> str:
    """Return Eva with the remark, and the loop where it takes any time."""
    assert text.count(PLACE) == 1, f"{FILE} has no single place for the change"
    if not loop_seconds:
        return text.replace(PLACE, REMARK + PLACE)
    slower = REMARK + LOOP.format(seconds=loop_seconds) + PLACE
    return text.replace(IMPORTS, f"{IMPORTS}from time import thread_time\n").replace(PLACE, slower)


def clone_with_change(folder: Path, loop_seconds: float) -> Path:
    """Return a clone of this repository whose last commit is the change."""
    clone = folder / "clone"
    _git(Path(), "clone", "--quiet", ".", str(clone))
    file = clone / FILE
    file.write_text(changed(file.read_text(), loop_seconds))
    _git(clone, "-c", "user.name=gate", "-c", "user.email=gate@localhost", "commit", "--quiet", "-am", "A change")
    return clone


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True)


def make_gate(scratch: Path, slower: float) -> dict[str, Any]:
    """Return what one whole gate says, by the command that a person calls."""
    loop_seconds = slower * step_cpu_seconds() if slower else 0.0
    clone, suite, out = clone_with_change(scratch, loop_seconds), scratch / "one-cell.toml", scratch / "out"
    suite.write_text(SUITE)
    words = ["gate", str(suite), "--project", str(clone), "--base", "HEAD~1", "--head", "HEAD", "--output", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-m", "evabench", *words], cwd=scratch, env=environment, stdout=2)
    return {"exit": done.returncode, "loop_seconds": loop_seconds, "gate": json.loads((out / "gate.json").read_text())}


def table(lines: Iterable[dict[str, Any]]) -> str:
    """Return how the gates ended, as Markdown."""
    kinds: dict[float, list[dict[str, Any]]] = {}
    for line in lines:
        kinds.setdefault(line["slower"], []).append(line)
    rows = [
        "| head | gates | exit codes | own time | step | pairs, median | seconds, median | load average |",
        "|---|---:|---|---|---|---:|---:|---:|",
    ]
    for slower, made in sorted(kinds.items()):
        reports = [one["gate"]["report"] for one in made]
        timed = [one for report in reports for one in report["timed"]]
        answers = [_counts(one["answer"] for one in timed if one["layer"] == layer) for layer in _LAYERS]
        pairs = median(max((len(one["pairs"]) for one in report["timed"]), default=0) for report in reports)
        seconds, load = median(report["seconds"] for report in reports), median(one["load_average"] for one in made)
        codes = _counts(f"exit {one['exit']}" for one in made)
        words = [f"{slower:+.0%}", str(len(made)), codes, *answers, f"{pairs:g}", f"{seconds:.0f}", f"{load:.1f}"]
        rows.append(f"| {' | '.join(words)} |")
    return "\n".join(rows)


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common())


def main() -> None:
    """Make gates, or print the table of those that were made."""
    parser = argparse.ArgumentParser(description="Make whole gates under load.")
    parser.add_argument("--gates", type=int, default=1)
    parser.add_argument("--slower", type=float, default=0.0, help="share of a step's CPU time; 0: equal sides")
    parser.add_argument("--load", type=int, default=2, help="busy loops beside it")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if asked.table:
        print(table(json.loads(line) for line in asked.out.read_text().splitlines()))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that loops and folders go with it
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with busy(asked.load), asked.out.open("a") as file:
        for _ in range(asked.gates):
            line: dict[str, Any] = {"slower": asked.slower, "started": datetime.now(UTC).isoformat(timespec="seconds")}
            line |= {"host": read_host().id, "cpus": len(os.sched_getaffinity(0)), "load": asked.load}
            with tempfile.TemporaryDirectory(prefix="gate-live-") as scratch:
                line |= make_gate(Path(scratch), asked.slower)
            print(json.dumps(line | {"load_average": os.getloadavg()[1]}), file=file, flush=True)


if __name__ == "__main__":
    main()
