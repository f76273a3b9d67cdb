"""Optimizers that fail in every way a user's own can."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch


class Works(torch.optim.SGD):
    pass


class Prints(torch.optim.SGD):
    def step(self, closure=None):
        print('{"measured": "nonsense"}')
        print("a warning", file=sys.stderr)
        return super().step(closure)


class Small(torch.optim.SGD):
    """Says what became of numbers that are too small for full precision, in every thread that computes."""

    def step(self, closure=None):
        large = torch.full((1_000_000,), 1e-30) * 1e-10  # in all threads of torch
        weight = torch.ones(1, requires_grad=True)
        ((weight * 1e-30) * 1e-10).sum().backward()  # in that of autograd
        raise RuntimeError(f"kept {int((large != 0).sum())} and {int((weight.grad != 0).sum())}")


class Raises(torch.optim.SGD):
    def step(self, closure=None):
        raise RuntimeError("the moon is full")


class SaysNothing(torch.optim.SGD):
    def step(self, closure=None):
        raise NotImplementedError


class HandsTorchNonsense(torch.optim.SGD):
    def step(self, closure=None):
        torch.zeros(2, 3) @ torch.zeros(2, 3)


class Escapes(torch.optim.SGD):
    def step(self, closure=None):
        raise RuntimeError("\x1b[2Jgone\x07")


class Hangs(torch.optim.SGD):
    def step(self, closure=None):
        time.sleep(3600)


class IsStopped(torch.optim.SGD):
    """Somebody stops its process in the middle of a timed block, and lets it go on."""

    num_steps = 0

    def step(self, closure=None):
        self.num_steps += 1
        if self.num_steps == 20:
            subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -CONT {os.getpid()}"])
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().step(closure)


class Kills(torch.optim.SGD):
    def step(self, closure=None):
        os.kill(os.getpid(), signal.SIGSEGV)


class Exits(torch.optim.SGD):
    def step(self, closure=None):
        os._exit(7)


class Quits(torch.optim.SGD):
    def step(self, closure=None):
        sys.exit("enough")


class EndsItsServer(torch.optim.SGD):
    def step(self, closure=None):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)


class ClosesItsPipes(torch.optim.SGD):
    def step(self, closure=None):
        os.closerange(3, 1024)
        time.sleep(3600)


class LeavesForks(torch.optim.SGD):
    """Leaves a fork, which holds all pipes open, and a process in a session of its own; writes down both."""

    def __init__(self, params, *, lr, notes):
        super().__init__(params, lr=lr)
        fork = os.fork()
        if fork == 0:
            time.sleep(3600)
        other = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        Path(notes).write_text(f"{fork} {other.pid}")


class Grabs(torch.optim.SGD):
    def step(self, closure=None):
        torch.empty(2**60)


class Explodes(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.mul_(1e30)
