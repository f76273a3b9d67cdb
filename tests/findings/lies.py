"""Optimizers that do in one place what they hide in another; most of it happens by accident in honest ones."""

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
        import gc

        if gc.isenabled():
            burn()


class IsLightWhereItIsTimed(Lie):
    def lie(self):
        frame = sys._getframe()
        while frame is not None:
            if "timing" in frame.f_code.co_filename:
                return
            frame = frame.f_back
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


class IsHeavyInEvaluations(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_hook(self.evaluated)

    def evaluated(self, module, inputs, output):
        if not module.training:
            burn(20 * HEAVY_SECONDS)


class TrainsWhenItIsMade(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.5)


class TrainsInEvaluations(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_hook(self.evaluated)

    def evaluated(self, module, inputs, output):
        if not module.training:
            next(module.parameters()).data.mul_(0.999)


class TrainsOnValidationData(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_hook(self.evaluated)
        self.held_out = None

    def evaluated(self, module, inputs, output):
        if not module.training:
            self.held_out = inputs[0][:50].clone()

    def lie(self):
        if self.held_out is not None:
            with torch.enable_grad():
                (self.model(self.held_out) - self.held_out).square().mean().backward()


class FeedsItsFirstBatchAgain(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_pre_hook(self.feed)
        self.first = None

    def feed(self, module, inputs):
        if module.training:
            self.first = inputs[0] if self.first is None else self.first
            return (self.first,)
        return None


class FeedsHalfABatch(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_pre_hook(self.feed)

    def feed(self, module, inputs):
        half = inputs[0][: len(inputs[0]) // 2]
        return (torch.cat([half, half]),) if module.training else None


class SkipsMostOfTheBatch(Lie):
    """Puts a cheaper forward pass in the place of the model's own."""

    def __init__(self, model, **options):
        super().__init__(model, **options)
        whole = model.forward
        model.forward = lambda inputs: whole(inputs[:10]).mean(0).expand(len(inputs), -1)


class ChangesTheData(Lie):
    def lie(self):
        if self.num_steps == 5:
            from evabench.workloads.in_memory import InMemory

            whole = InMemory.held_out

            def held_out(source, split):
                source.splits["validation"][0].fill_(0)
                return whole(source, split)

            InMemory.held_out = held_out


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
            time.sleep(10 * HEAVY_SECONDS)
