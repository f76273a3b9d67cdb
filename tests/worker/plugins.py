"""Optimizers that fail in every way a user's own can."""

import os
import signal
import sys
import time

import torch


class Works(torch.optim.SGD):
    pass


class Prints(torch.optim.SGD):
    def step(self, closure=None):
        print('{"measured": "nonsense"}')
        print("a warning", file=sys.stderr)
        return super().step(closure)


class Raises(torch.optim.SGD):
    def step(self, closure=None):
        raise RuntimeError("the moon is full")


class Escapes(torch.optim.SGD):
    def step(self, closure=None):
        raise RuntimeError("\x1b[2Jgone\x07")


class Hangs(torch.optim.SGD):
    def step(self, closure=None):
        time.sleep(3600)


class Kills(torch.optim.SGD):
    def step(self, closure=None):
        os.kill(os.getpid(), signal.SIGSEGV)


class Exits(torch.optim.SGD):
    def step(self, closure=None):
        os._exit(7)


class Grabs(torch.optim.SGD):
    def step(self, closure=None):
        torch.empty(2**60)


class Explodes(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.mul_(1e30)
