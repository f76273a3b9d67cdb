"""Optimizers that do their work where `step` does not show it."""

import threading
import time

import torch

PLANTED_SECONDS = 0.010
PLANTED_BYTES = 64 * 2**20
LEAKED_BYTES = 2**20


class SleepsInHook(torch.optim.SGD):
    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.param_groups[0]["params"][0].register_hook(lambda gradient: time.sleep(PLANTED_SECONDS))


class SleepsInZeroGrad(torch.optim.SGD):
    def zero_grad(self, set_to_none=True):
        time.sleep(PLANTED_SECONDS)
        super().zero_grad(set_to_none)


class SleepsInStep(torch.optim.SGD):
    def step(self, closure=None):
        time.sleep(PLANTED_SECONDS)
        return super().step(closure)


class ComputesBeside(torch.optim.SGD):
    """Starts a thread after each step, and waits for it before the next: its work lies beside the passes."""

    def step(self, closure=None):
        if thread := getattr(self, "thread", None):
            thread.join()
        super().step(closure)
        self.thread = threading.Thread(target=compute, daemon=True)
        self.thread.start()
        time.sleep(2 * PLANTED_SECONDS)  # a step long enough to hide it in


def compute():
    square = torch.ones(200, 200)
    until = time.thread_time() + PLANTED_SECONDS
    while time.thread_time() < until:
        square.mm(square)


class AllocatesInHook(torch.optim.SGD):
    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.param_groups[0]["params"][0].register_hook(allocate)


class AllocatesInZeroGrad(torch.optim.SGD):
    def zero_grad(self, set_to_none=True):
        super().zero_grad(set_to_none)
        allocate()


class AllocatesInStep(torch.optim.SGD):
    def step(self, closure=None):
        allocate()
        return super().step(closure)


def allocate(gradient=None):
    torch.zeros(PLANTED_BYTES // 4)


class Leaks(torch.optim.SGD):
    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.kept = []

    def step(self, closure=None):
        self.kept.append(torch.zeros(LEAKED_BYTES // 4))
        return super().step(closure)
