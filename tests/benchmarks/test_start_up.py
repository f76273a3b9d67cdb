"""How long the command line takes to say something, over a typer app of two empty verbs: `make bench`.

All commands take turns, in an order that alternates. The ratio is the trimmed mean of the log ratios of the rounds,
with its 95 % interval. A missed goal is a line of the table, shown with its figures.
"""

import math
import os
import subprocess
import sys
import time

import pytest

from evabench.stats.trimmed import trimmed_mean
from evabench.units import format_ratio, format_seconds

ROUNDS = int(os.environ.get("EVABENCH_BENCH_ROUNDS", "20"))
BARE = [sys.executable, "-m", "tests.bare_app", "--help"]
GOALS = {"--help": 2.0, "--version": 2.0, "list": 4.0}


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def compare():
    """Return the seconds of each round, by what is called."""
    commands = {"bare": BARE} | {words: [sys.executable, "-m", "evabench", words] for words in GOALS}
    taken = {name: [] for name in commands}
    for command in commands.values():
        seconds(command)  # byte code and the disk's cache
    for number in range(ROUNDS):
        for name in commands if number % 2 else reversed(commands):
            taken[name].append(seconds(commands[name]))
    return taken


@pytest.mark.timeout(600)
def test_start_up_over_a_bare_app(benchmark):
    taken = benchmark.pedantic(compare, rounds=1)
    print(f"\n| a bare app | {format_seconds(min(taken['bare']))} at best | | | |", end="")
    for name, goal in GOALS.items():
        logs = trimmed_mean([math.log(one / bare) for one, bare in zip(taken[name], taken["bare"], strict=True)])
        bounds = logs.interval()
        ratio = format_ratio(math.exp(logs.estimate), math.exp(bounds.low), math.exp(bounds.high))
        verdict = "met" if math.exp(bounds.high) <= goal else "missed"
        benchmark.extra_info[name] = {"ratio": ratio, "goal": goal, "verdict": verdict}
        best = format_seconds(min(taken[name]))
        print(f"\n| `evabench {name}` | {best} at best | {ratio} | <= {goal:g} | {verdict} |", end="", flush=True)
