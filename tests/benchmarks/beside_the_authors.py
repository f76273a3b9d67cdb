"""Eva's cost over SGD beside that of the authors' own code: `python -m tests.benchmarks.beside_the_authors CHECKOUT`.

CHECKOUT is a copy of github.com/lzhangbv/eva (branch master), which is no part of this repository. In each process all
arms are made in an order drawn for it and take turns, step by step, in one that alternates, on one thread. A call makes
processes until `--seconds` are over and appends one line each to FILE; the next call goes on. `--table` measures
nothing and prints what FILE holds: ratios of times over SGD by torch's default, by its kernel for all parameters, and
Eva's extra over the authors', each a trimmed mean over processes with its 95 % interval.

Their preconditioner needs Horovod for the name of a module alone: an empty one stands in its place. Behind it comes
SGD by torch's default, as in their scripts.
"""

import argparse
import copy
import json
import math
import os
import random
import subprocess
import sys
import time
import types
import warnings
from pathlib import Path
from statistics import median

import torch

from evabench.optimizers import Eva
from evabench.stats.trimmed import trimmed_mean
from evabench.units import format_ratio
from tests.benchmarks.models import NETS

NET_NAMES = ("autoencoder, batch 128", "autoencoder, batch 1000", "ResNet-32, batch 128")
WHOLE = 10**9  # samples: more than any batch has
# Of one process: 8 arms, at least 20 steps each. A process of the last net takes up to two minutes.
SECONDS = {"autoencoder, batch 128": 12.0, "autoencoder, batch 1000": 35.0, "ResNet-32, batch 128": 100.0}
# As in `test_optimizer_cost`: else page faults fall on one arm or another.
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "500000000",
}
CLOCKS = ("wall", "CPU")


class AuthorsEva:
    """Their preconditioner, then SGD."""

    def __init__(self, preconditioner, net, num_samples):
        self.sgd = torch.optim.SGD(net.parameters(), 1e-4, 0.9)
        self.preconditioner = preconditioner(net, lr=1e-4, kfac_batch_size=num_samples)

    def zero_grad(self):
        self.sgd.zero_grad(set_to_none=True)

    def step(self):
        self.preconditioner.step()
        self.sgd.step()


def load_authors(checkout):
    """Return the class of their preconditioner."""
    for name in ("horovod", "horovod.torch"):
        sys.modules[name] = types.ModuleType(name)
    sys.path.append(str(checkout))
    from kfac import backend, eva

    backend.comm = types.SimpleNamespace(size=lambda: 1, rank=lambda: 0)
    return eva.KFAC


def sgd(**kernel):
    return lambda net: torch.optim.SGD(net.parameters(), 1e-4, 0.9, **kernel)


def arms_of(checkout):
    """Return how each arm's optimizer is made from a net."""
    preconditioner = load_authors(checkout)
    return {
        "SGD": sgd(),
        "SGD, foreach": sgd(foreach=True),
        "SGD, fused": sgd(fused=True),
        "Eva": lambda net: Eva(net, lr=1e-4),
        "Eva, 16 samples": lambda net: Eva(net, lr=1e-4, statistics_batch=16),
        "authors": lambda net: AuthorsEva(preconditioner, net, WHOLE),
        "authors, 16 samples": lambda net: AuthorsEva(preconditioner, net, 16),
    }


def measure(net_name, checkout, seconds, seed):
    """Return arm -> [wall, CPU] seconds of a step, the median of all that were timed."""
    warnings.simplefilter("ignore")  # their hooks are of a kind that torch has given up
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    net, (inputs, targets), loss = NETS[net_name]()
    arms = {}
    # Where a copy lies in memory depends on its turn.
    making = list(arms_of(checkout).items())
    random.Random(seed).shuffle(making)
    for name, make in making:
        model = copy.deepcopy(net)
        arms[name] = (model, make(model))
    spent = {name: [] for name in arms}
    start, rounds = time.monotonic(), 0
    while rounds < 6 or time.monotonic() < start + seconds:
        for name in arms if rounds % 2 else reversed(arms):
            model, optimizer = arms[name]
            wall, cpu = time.perf_counter(), time.process_time()
            optimizer.zero_grad()
            loss(model(inputs), targets).backward()
            optimizer.step()
            if rounds >= 2:
                spent[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        rounds += 1
    return {name: [median(clock) for clock in zip(*times, strict=True)] for name, times in spent.items()}


def next_process(file, num_processes):
    """Return the net and the seed of the next process, or None where all are made."""
    done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    made = {(one["net"], one["seed"]) for one in done}
    for seed in range(num_processes):
        for net in NET_NAMES:
            if (net, seed) not in made:
                return net, seed
    return None


def collect(arguments):
    """Make processes until the time is over, or all are made."""
    start = time.monotonic()
    while following := next_process(arguments.out, arguments.processes):
        net, seed = following
        if time.monotonic() - start + SECONDS[net] * 1.15 > arguments.seconds:
            print(f"next: {net}, process {seed}. Call it again to go on.")
            return
        command = [sys.executable, "-m", "tests.benchmarks.beside_the_authors", str(arguments.checkout)]
        command += ["--one", net, "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | KEEP_MEMORY)
        line = {"net": net, "seed": seed, "load": os.getloadavg()[0], "seconds": json.loads(done.stdout)}
        with arguments.out.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        print(f"{net}, process {seed}: load {line['load']:.1f}", flush=True)
    print("All processes are made.")


def words(values, *, of_logs=True):
    """Return the trimmed mean with its interval in words."""
    found = trimmed_mean([math.log(value) for value in values] if of_logs else values)
    bounds = found.interval()
    estimate, low, high = (math.exp(each) if of_logs else each for each in (found.estimate, bounds.low, bounds.high))
    return format_ratio(estimate, low, high) if of_logs else f"{estimate:.2f} [{low:.2f}, {high:.2f}]"


def print_table(file):
    """Print ratios, net by net."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for clock, name in enumerate(CLOCKS):
        print(
            f"\n| net, {name} time | arm | over SGD | over SGD, fused | extra over the authors', by SGD / SGD, fused |"
        )
        print("|---|---|---|---|---|")
        for net in NET_NAMES:
            processes = [one["seconds"] for one in lines if one["net"] == net]
            for arm in sorted(processes[0]) if len(processes) > 2 else ():
                over = [
                    words([one[arm][clock] / one[base][clock] for one in processes]) for base in ("SGD", "SGD, fused")
                ]
                extra = ""
                if arm.startswith("Eva"):
                    theirs = arm.replace("Eva", "authors")
                    shares = [
                        words(
                            [
                                (one[arm][clock] - one[base][clock]) / (one[theirs][clock] - one[base][clock])
                                for one in processes
                            ],
                            of_logs=False,
                        )
                        for base in ("SGD", "SGD, fused")
                    ]
                    extra = " / ".join(shares)
                print(f"| {net} ({len(processes)} processes) | {arm} | {over[0]} | {over[1]} | {extra} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--out", type=Path, default=Path("beside-the-authors.jsonl"), metavar="FILE")
    parser.add_argument("--processes", type=int, default=5, help="of each net")
    parser.add_argument("--seconds", type=float, default=130.0, help="of this call")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--one", choices=NET_NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        print_table(arguments.out)
    elif arguments.one:
        print(json.dumps(measure(arguments.one, arguments.checkout, SECONDS[arguments.one], arguments.seed)))
    else:
        collect(arguments)
