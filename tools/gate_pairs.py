"""Records pairs of equal sides of one short cell, in portions: what the gate's operating characteristic rests on.

    python -m tools.gate_pairs --pairs 50 [--load 2 [--shared-load]] [--out results/reference/gate-pairs/pairs.jsonl]

Both sides are copies of the working tree in folders of one length. Each call adds to the file, and each pair is written
as soon as it is made, so that a call may be stopped at any time. `--load` starts so many busy loops beside it. Repeat
the call until there are enough (500 for docs/gate.md), then `python -m tools.gate_replay`.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from evabench.gate.asked import codes_of, lay_sides, read_gated_suite
from evabench.gate.gate import Asked
from evabench.gate.pairs import SIDES
from evabench.gate.repository import find_repository
from evabench.gate.rules import OWN_TIME, STEP, Test
from evabench.gate.sides import Sides
from evabench.gate.timed import Series, TimedCell, time_pair
from evabench.machine.host import read_host

OUT = Path("results/reference/gate-pairs/pairs.jsonl")
CELL = "autoencoder-small, Eva"
WARM_UP_STEPS = 30
PAIRS_PER_SERVER = 10  # a block of the replay; a gate has servers for each pair, and so draws more layouts than this
TESTS = {"own_time": Test(margins=OWN_TIME, num_tests=1), "step": Test(margins=STEP, num_tests=1)}


def _burn(num_loops: int) -> None:
    parent = os.getppid()
    os.setsid()  # somebody else's work: Linux shares the processors out by session
    for _ in range(num_loops - 1):
        if os.fork() == 0:
            parent = os.getppid()
            break
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


@contextmanager
def busy(num_loops: int) -> Iterator[None]:
    """Keep so many processes busy, in one session of their own."""
    loops = multiprocessing.get_context("spawn").Process(target=_burn, args=(num_loops,), daemon=True)
    if num_loops:
        loops.start()
    try:
        yield
    finally:
        if num_loops:
            loops.kill()  # the others end when their parent does
            loops.join()


def main() -> None:
    """Record the pairs."""
    parser = argparse.ArgumentParser(description="Record pairs of equal sides.")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--load", type=int, default=2, help="busy loops beside it")
    parser.add_argument("--shared-load", action="store_true", help="the loops are those of another call that runs now")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that loops and folders go with it
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    there = asked.out.read_text().count("\n") if asked.out.exists() else 0
    loops = busy(0 if asked.shared_load else asked.load)
    with tempfile.TemporaryDirectory(prefix="gate-pairs-") as scratch, loops, asked.out.open("a") as file:
        record(Path(scratch), there, asked.pairs, asked.load, lambda line: print(line, file=file, flush=True))


def record(scratch: Path, there: int, num_pairs: int, load: int, write) -> None:
    """Make the pairs behind those that are there, and write a line for each."""
    gate = Asked(project=Path(), suite="ci")
    gated = read_gated_suite(gate.suite, gate.project)
    repository = find_repository(gate.project, scratch / "git")
    tree = repository.working_tree()
    places = lay_sides(repository, scratch, tree, tree)
    codes = codes_of(places, dict.fromkeys(places, "equal"), "own", gate.pythons)
    sides = Sides(base=codes["base"], head=codes["head"])
    series = Series(sides=sides, timeout_seconds=gated.suite.timeout_seconds, layout=f"recorded from {there}")
    cell = gated.cells()[CELL]
    timed = TimedCell(name=CELL, cells=dict.fromkeys(SIDES, cell), tests=TESTS)
    host = read_host().id
    for first in range(there + 1, there + num_pairs + 1, PAIRS_PER_SERVER):
        with sides(layout_seed=f"recorded {first}") as servers:
            kept = replace(series, sides=lambda *, layout_seed, servers=servers: nullcontext(servers))
            for number in range(first, min(first + PAIRS_PER_SERVER, there + num_pairs + 1)):
                line = {"number": number, "started": datetime.now(UTC).isoformat(timespec="seconds"), "host": host}
                line |= {"load": load, "load_average": os.getloadavg()[0], "cpus": len(os.sched_getaffinity(0))}
                line |= {"pairs_per_server": PAIRS_PER_SERVER}
                for layer, pair in time_pair(timed, number, WARM_UP_STEPS, kept).items():
                    line[layer] = {"failed": pair} if isinstance(pair, str) else asdict(pair)
                write(json.dumps(line))


if __name__ == "__main__":
    main()
