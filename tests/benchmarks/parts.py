"""Where the step of an arm goes: `python -m tests.benchmarks.parts NET ARM`, CPU milliseconds by marked part.

Means over whole refresh cycles of one process, one thread. The marks themselves cost microseconds.
"""

import argparse
import json
import time
from collections import defaultdict

import torch

from evabench.optimizers import build_optimizer
from evabench.optimizers.phases import listening, phase
from tests.benchmarks.interleaved import ARMS
from tests.benchmarks.models import NETS


class Spent:
    """CPU seconds by part; the time of an inner part is not part of the outer one's."""

    def __init__(self):
        self.seconds, self.open, self.since = defaultdict(float), [], 0.0

    def enter(self, name):
        self._charge()
        self.open.append(name)

    def leave(self):
        self._charge()
        self.open.pop()

    def _charge(self):
        now = time.process_time()
        if self.open:
            self.seconds[self.open[-1]] += now - self.since
        self.since = now


def measure(net_name, arm_name, num_cycles):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, (inputs, targets), loss = NETS[net_name]()
    optimizer = build_optimizer(ARMS[arm_name], net)
    cycle_steps = ARMS[arm_name].cycle_steps
    num_warmup, num_timed = max(2, cycle_steps), num_cycles * cycle_steps
    spent = Spent()
    for index in range(num_warmup + num_timed):
        if index == num_warmup:
            spent = Spent()
        with listening(spent):
            with phase("forward"):
                optimizer.zero_grad(set_to_none=True)
                value = loss(net(inputs), targets)
            with phase("backward"):
                value.backward()
            with phase("other"):
                optimizer.step()
    return {name: 1000 * seconds / num_timed for name, seconds in spent.seconds.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("arm", choices=ARMS)
    parser.add_argument("--cycles", type=int, default=2)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.net, arguments.arm, arguments.cycles)))
