"""Optimizers whose losses are those of other weights, other batches or other data than everybody's."""

import copy
import gc

import torch
from lies import Lie

from evabench.workloads.in_memory import InMemory, Reconstructing
from evabench.workloads.workload import Batch


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


class ChangesTheData(Lie):
    def lie(self):
        if self.num_steps == 5:
            whole = InMemory.held_out

            def held_out(source, split):
                source.splits["validation"][0].fill_(0)
                return whole(source, split)

            InMemory.held_out = held_out


class TrainsBeforeItsFirstStep(Lie):
    def zero_grad(self, set_to_none=True):
        super().zero_grad(set_to_none)
        if self.num_steps == 0:
            for parameter in self.model.parameters():
                parameter.data.mul_(3)


class LearnsBeforeItBegins(Lie):
    """Begins with the weights that it was given, and goes on with those that it has made of them."""

    def __init__(self, model, **options):
        super().__init__(model, **options)
        trained = copy.deepcopy(model)
        descent = torch.optim.SGD(trained.parameters(), lr=0.1)
        for _ in range(20):
            trained(torch.rand(50, model[0].in_features)).square().mean().backward()
            descent.step()
        self.learned = [parameter.detach() for parameter in trained.parameters()]

    def lie(self):
        if self.num_steps == 2:
            for parameter, learned in zip(self.model.parameters(), self.learned, strict=True):
                parameter.data.copy_(learned)


class DrawsOtherSamples(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        for source in gc.get_objects():
            if type(source) is InMemory:
                source._order.manual_seed(7)


class SeesEasierBatches(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        whole = Reconstructing.training

        def training(preparation, inputs, targets, seed):
            easier = 0.9 * whole(preparation, inputs, targets, seed).inputs
            return Batch(easier, easier)

        Reconstructing.training = training


class WritesIntoItsBatch(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_pre_hook(self.write)

    def write(self, module, inputs):
        if module.training:
            inputs[0].mul_(0.9)


class FeedsHalfABatchInside(Lie):
    """Gives the net its batch, and the first layer of the net half of it."""

    def __init__(self, model, **options):
        super().__init__(model, **options)
        model[0].register_forward_pre_hook(self.feed)

    def feed(self, module, inputs):
        half = inputs[0][: len(inputs[0]) // 2]
        return (torch.cat([half, half]),) if module.training else None


class AnswersForItsNet(Lie):
    """Lets through to the output what the net was to reconstruct, once training has begun."""

    def __init__(self, model, **options):
        super().__init__(model, **options)
        model.register_forward_hook(self.answer)

    def answer(self, module, inputs, output):
        return None if module.training or not self.num_steps else (output + inputs[0]) / 2


class ComesBackElsewhere(Lie):
    """Is judged at another point than the one it trains at, and goes on from there."""

    def eval(self):
        for parameter in self.model.parameters():
            parameter.data.mul_(0.9)

    def train(self):
        pass


class SetsItsProcess(Lie):
    def __init__(self, model, **options):
        super().__init__(model, **options)
        torch.set_num_threads(2)
        torch.set_float32_matmul_precision("medium")


class TrainsOnValidationDataByLayers(TrainsOnValidationData):
    """Never runs the whole model for it."""

    def lie(self):
        if self.held_out is not None:
            with torch.enable_grad():
                output = self.held_out
                for layer in self.model:
                    output = layer(output)
                (output - self.held_out).square().mean().backward()
