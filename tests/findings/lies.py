"""Optimizers that do in one place what they hide in another; most of it happens by accident in honest ones."""

import gc
import multiprocessing
import os
import sys
import threading
import time

import numpy as np
import torch

HEAVY_SECONDS = 0.003  # of CPU time: several steps of the net they train
HIDDEN_BYTES = 192 << 20
kept = []


def burn(seconds=HEAVY_SECONDS):
    square = torch.ones(64, 64)
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        square.mm(square)


def is_timed():
    """Return whether whoever measures a step time has called."""
    frame = sys._getframe()
    while frame is not None and "timing" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None


class Lie(torch.optim.SGD):
    def __init__(self, model, lr=0.1, **options):
        super().__init__(model.parameters(), lr=lr, **options)
        self.model, self.num_steps = model, 0

    def step(self, closure=None):
        self.num_steps += 1
        self.lie()
        return super().step(closure)

    def lie(self):
        pass


class IsHeavyAtItsOwnRate(Lie):
    def lie(self):
        if self.param_groups[0]["lr"] > 0.05:
            burn()


class IsHeavyWhileGarbageIsCollected(Lie):
    def lie(self):
        if gc.isenabled():
            burn()


class IsLightWhereItIsTimed(Lie):
    def lie(self):
        if not is_timed():
            burn()


class IsHeavyWhereItIsTimed(Lie):
    """As a base that makes others look quick."""

    def lie(self):
        if is_timed():
            burn()


class IsHeavyLater(Lie):
    """As a warm-up of an optimizer that ends behind every timed step."""

    def lie(self):
        if self.num_steps > 70:
            burn()


class IsHeavyAtEvery200thStep(Lie):
    def lie(self):
        if self.num_steps % 200 == 0:
            burn(100 * HEAVY_SECONDS)


class WorksRarely(Lie):
    """Spends nearly half of the time of its steps on one of them."""

    since = spent = 0.0

    def zero_grad(self, set_to_none=True):
        self.since = time.process_time()
        super().zero_grad(set_to_none)

    def lie(self):
        self.spent += time.process_time() - self.since
        if self.num_steps == 200:
            burn(0.8 * self.spent)


class IsHeavyInEvaluations(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_hook(self.evaluated)

    def evaluated(self, module, inputs, output):
        if not module.training:
            burn(20 * HEAVY_SECONDS)


class SkipsMostOfTheBatch(Lie):
    """Puts a cheaper forward pass in the place of the model's own."""

    def __init__(self, model, **options):
        super().__init__(model, **options)
        whole = model.forward
        model.forward = lambda inputs: whole(inputs[:10]).mean(0).expand(len(inputs), -1)


class HoldsArrays(Lie):
    def lie(self):
        if self.num_steps == 1:
            kept.append(np.ones(HIDDEN_BYTES // 8))


class HoldsGlobals(Lie):
    def lie(self):
        if self.num_steps == 1:
            kept.append(torch.ones(HIDDEN_BYTES // 4))


class HoldsAProcess(Lie):
    def lie(self):
        if self.num_steps == 1:
            ready = multiprocessing.get_context("fork").Event()
            if os.fork() == 0:
                held = bytearray(b"1") * HIDDEN_BYTES
                ready.set()
                time.sleep(3600)
                print(len(held))
            ready.wait()


class HasStateLater(Lie):
    def lie(self):
        if self.num_steps == 20:
            for parameter in self.param_groups[0]["params"]:
                self.state[parameter]["curvature"] = torch.zeros(len(parameter.flatten()), 2)


class ComputesInAProcess(Lie):
    """Gives its work to a process, and waits for none of it."""

    def lie(self):
        if self.num_steps == 1 and os.fork() == 0:
            burn(10)
            os._exit(0)


class ComputesInAThread(Lie):
    def lie(self):
        if self.num_steps % 5 == 0:
            threading.Thread(target=burn, args=(0.002,), daemon=True).start()


class WaitsInTraining(Lie):
    def lie(self):
        if self.num_steps > 100:
            time.sleep(2 * HEAVY_SECONDS)


class NeedsMemoryRarely(Lie):
    def lie(self):
        if self.num_steps == 20:
            torch.ones(HIDDEN_BYTES // 4)
