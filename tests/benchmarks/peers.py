"""Ours beside public implementations, in one process: `python -m tests.benchmarks.peers NET ARM...`, with the extra.

The same whole batch, KFAC-expand, the same interval for statistics and inverses, no clip. The arms take turns step by
step, in an order that alternates. Prints one JSON object: arm -> amortised [wall seconds, CPU seconds], each position
of a cycle by its median. For ratios, never for a verdict or a gate.
"""

import argparse
import copy
import json
import time
from statistics import fmean, median

import torch

from evabench.optimizers import KFAC, Shampoo
from evabench.peers import asdl, heavyball, pytorch_optimizer, singd
from tests.benchmarks.models import NETS

OURS = {"lr": 1e-4, "clip": "none"}
PLAIN = {"statistics_every": 1, "momentum": 0.0, "grafting": "none", "merge_up_to": 1}
# Arm -> steps of a cycle, and how it is made from a model.
ARMS = {
    "SGD": (1, lambda net: torch.optim.SGD(net.parameters(), 1e-4, 0.9)),
    "K-FAC@1, expand": (1, lambda net: KFAC(net, weight_sharing="expand", refresh_every=1, **OURS)),
    "K-FAC@10, expand": (10, lambda net: KFAC(net, weight_sharing="expand", refresh_every=10, **OURS)),
    "ASDL K-FAC@1": (1, lambda net: asdl.KFAC(net, lr=1e-4)),
    "ASDL K-FAC@10": (10, lambda net: asdl.KFAC(net, lr=1e-4, refresh_every=10)),
    "SINGD@10": (10, lambda net: singd.singd(net, lr=1e-5, refresh_every=10)),
    "Shampoo@1": (1, lambda net: Shampoo(net, lr=1e-4, refresh_every=1, statistics_every=1)),
    "Shampoo@10": (10, lambda net: Shampoo(net, lr=1e-4, refresh_every=10, statistics_every=1)),
    # As pytorch-optimizer's: no grafting, no momentum, a factor for every axis.
    "Shampoo@1, plain": (1, lambda net: Shampoo(net, lr=1e-4, refresh_every=1, **PLAIN)),
    "Shampoo@10, plain": (10, lambda net: Shampoo(net, lr=1e-4, refresh_every=10, **PLAIN)),
    "pytorch-optimizer Shampoo@10": (
        10,
        lambda net: pytorch_optimizer.shampoo(net.parameters(), lr=1e-6, refresh_every=10),
    ),
    "pytorch-optimizer Shampoo@1": (1, lambda net: pytorch_optimizer.shampoo(net.parameters(), lr=1e-6)),
    "pytorch-optimizer SOAP@10": (10, lambda net: pytorch_optimizer.soap(net.parameters(), lr=1e-6)),
    "Shampoo@10, blocks of 512": (
        10,
        lambda net: Shampoo(net, lr=1e-4, beta2=0.999, block_size=512, refresh_every=10, statistics_every=1),
    ),
    "pytorch-optimizer ScalableShampoo@10": (
        10,
        lambda net: pytorch_optimizer.scalable_shampoo(net.parameters(), lr=1e-6, use_svd=True, refresh_every=10),
    ),
    "heavyball SOAP@10": (10, lambda net: heavyball.soap(net.parameters(), lr=1e-6)),
}


class Arm:
    """One optimizer on a net of its own; `seconds` has a list for each position of its cycle."""

    def __init__(self, name, net):
        self.cycle_steps, make = ARMS[name]
        self.net = copy.deepcopy(net)
        self.optimizer = make(self.net)
        self.seconds = [[] for _ in range(self.cycle_steps)]

    def step(self, inputs, targets, loss):
        wall, cpu = time.perf_counter(), time.process_time()
        self.optimizer.zero_grad(set_to_none=True)
        loss(self.net(inputs), targets).backward()
        self.optimizer.step()
        return time.perf_counter() - wall, time.process_time() - cpu

    @property
    def amortised(self):
        return [fmean(median(spent[clock] for spent in position) for position in self.seconds) for clock in (0, 1)]


def measure(net_name, arm_names, num_cycles, seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net, batch, loss = NETS[net_name]()
    arms = [Arm(name, net) for name in arm_names]
    longest = max(arm.cycle_steps for arm in arms)
    num_warmup = max(2, longest)
    for index in range(num_warmup + num_cycles * longest):
        for arm in arms if index % 2 else reversed(arms):
            spent = arm.step(*batch, loss)
            if index >= num_warmup:
                arm.seconds[index % arm.cycle_steps].append(spent)
    return {name: arm.amortised for name, arm in zip(arm_names, arms, strict=True)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("arms", nargs="+", choices=ARMS)
    parser.add_argument("--cycles", type=int, default=2, help="of the longest arm, after one that is not timed")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.net, arguments.arms, arguments.cycles, arguments.seed)))
