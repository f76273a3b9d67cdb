"""CPU time of forward, backward and step, arm by arm: `python -m tools.step_parts NET ARM... [--rounds N]`.

The arms take turns in one process, on one thread. Nets and arms are those of `tests.benchmarks`. Prints medians in
milliseconds. Run it from the root of a checkout.
"""

import argparse
import copy
import time
from itertools import pairwise
from statistics import median

import torch

from evabench.optimizers import build_optimizer
from tests.benchmarks.interleaved import ARMS
from tests.benchmarks.models import NETS

WARMUP = 4
PARTS = ("forward", "backward", "step", "all")


def iterate(model, optimizer, batch, loss):
    """Return the CPU milliseconds of the parts of one iteration."""
    inputs, targets = batch
    marks = [time.thread_time()]
    optimizer.zero_grad(set_to_none=True)
    value = loss(model(inputs), targets)
    marks.append(time.thread_time())
    value.backward()
    marks.append(time.thread_time())
    optimizer.step()
    marks.append(time.thread_time())
    spent = [after - before for before, after in pairwise(marks)]
    return [1e3 * seconds for seconds in (*spent, sum(spent))]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("arms", nargs="+", choices=ARMS)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, batch, loss = NETS[arguments.net]()
    arms = {}
    for name in arguments.arms:
        model = copy.deepcopy(net)
        arms[name] = (model, build_optimizer(ARMS[name], model))
    rows = {name: [] for name in arms}
    for index in range(WARMUP + arguments.rounds):
        for name in arms if index % 2 else reversed(arms):
            rows[name].append(iterate(*arms[name], batch, loss))
    print(f"{'':24}" + "".join(f"{part:>10}" for part in PARTS))
    for name, timed in rows.items():
        medians = [median(column) for column in zip(*timed[WARMUP:], strict=True)]
        print(f"{name:24}" + "".join(f"{value:10.3f}" for value in medians))


if __name__ == "__main__":
    main()
