"""What a step of each arm costs over SGD's, in one process: `python -m tests.benchmarks.interleaved NET ARM...`.

The arms take turns, step by step, in an order that alternates, so that whatever slows the machine down hits all of
them. One thread. The figure of an arm is its amortised step: the median of each position of its refresh cycle, averaged
over the positions. Prints one JSON object: arm -> [wall seconds, CPU seconds]. Good for ratios of 1 %, never for a
verdict or a gate.
"""

import argparse
import copy
import json
import time
from statistics import fmean, median

import torch

from evabench.optimizers import build_optimizer
from evabench.settings import optimizers as settings
from tests.benchmarks.models import NETS

ARMS = {
    "SGD": settings.SgdSettings(lr=1e-4, fused=False),
    "SGD, fused": settings.SgdSettings(lr=1e-4),
    "AdamW": settings.AdamWSettings(lr=1e-5),
    "Eva": settings.EvaSettings(lr=1e-4),
    "Eva, compiled": settings.EvaSettings(lr=1e-4, compile=True),
    "Eva-f": settings.EvaFSettings(lr=1e-4),
    "Eva-s": settings.EvaSSettings(lr=1e-4),
    "K-FAC@1": settings.KfacSettings(lr=1e-4, refresh_every=1),
    "K-FAC@10": settings.KfacSettings(lr=1e-4, refresh_every=10),
    "M-FAC": settings.MfacSettings(lr=1e-4, damping=1.0),
    "K-FAC@1, 16 samples": settings.KfacSettings(lr=1e-4, refresh_every=1, statistics_batch=16),
    "K-FAC@1, expand": settings.KfacSettings(lr=1e-4, refresh_every=1, weight_sharing="expand"),
    "K-FAC@10, expand": settings.KfacSettings(lr=1e-4, weight_sharing="expand", refresh_every=10),
    "FOOF@1": settings.FoofSettings(lr=1e-4, refresh_every=1, factorisation="cholesky"),
    "FOOF@50": settings.FoofSettings(lr=1e-4, refresh_every=50, factorisation="eigh"),
    "Shampoo@1": settings.ShampooSettings(lr=1e-4, refresh_every=1, statistics_every=1),
    "Shampoo@10": settings.ShampooSettings(lr=1e-4, refresh_every=10, statistics_every=1),
    # As the public codes: statistics no more often than roots, or blocks.
    "Shampoo@10, statistics too": settings.ShampooSettings(lr=1e-4, refresh_every=10, statistics_every=10),
    "Shampoo@1, blocks of 512": settings.ShampooSettings(lr=1e-4, refresh_every=1, statistics_every=1, block_size=512),
    "Shampoo@10, blocks of 512": settings.ShampooSettings(
        lr=1e-4, refresh_every=10, statistics_every=1, block_size=512
    ),
}
MIN_ROUNDS = 4


class Arm:
    """One optimizer on a net of its own; `seconds` has a list for each position of its cycle."""

    def __init__(self, arm, net, batch, loss):
        self.cycle_steps = arm.cycle_steps
        self.net, self.batch, self.loss = copy.deepcopy(net), batch, loss
        self.optimizer = build_optimizer(arm, self.net)
        self.num_steps = 0
        self.seconds = [[] for _ in range(self.cycle_steps)]

    def step(self, *, timed):
        wall, cpu = time.perf_counter(), time.process_time()
        inputs, targets = self.batch
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.net(inputs), targets).backward()
        self.optimizer.step()
        if timed:
            spent = time.perf_counter() - wall, time.process_time() - cpu
            self.seconds[self.num_steps % self.cycle_steps].append(spent)
        self.num_steps += 1

    @property
    def amortised(self):
        return [fmean(median(spent[clock] for spent in position) for position in self.seconds) for clock in (0, 1)]


def measure(net_name, arm_names, max_seconds, seed):
    """Return arm -> amortised [wall, CPU] seconds."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net, batch, loss = NETS[net_name]()
    arms = [Arm(ARMS[name], net, batch, loss) for name in arm_names]
    longest = max(arm.cycle_steps for arm in arms)
    for arm in arms:
        for _ in range(max(2, arm.cycle_steps)):
            arm.step(timed=False)
    start, rounds = time.monotonic(), 0
    while rounds < MIN_ROUNDS or rounds % longest or time.monotonic() < start + max_seconds:
        for arm in arms if rounds % 2 else reversed(arms):
            arm.step(timed=True)
        rounds += 1
    return {name: arm.amortised for name, arm in zip(arm_names, arms, strict=True)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("arms", nargs="+", choices=ARMS)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.net, arguments.arms, arguments.seconds, arguments.seed)))
