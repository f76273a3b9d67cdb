"""A task of a user's own: which side of a line is a point on?"""

from dataclasses import replace

import torch
from torch import nn

from evabench.errors import DataError, cannot_write
from evabench.workloads.user import Task


def two_sides(seed, noise=0.0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(300, 2, generator=generator)
    labels = (points[:, 0] + noise * torch.randn(300, generator=generator) > 0).long()
    parts = [(points[a:b], labels[a:b]) for a, b in ((0, 200), (200, 250), (250, 300))]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    return Task(
        model=model,
        loss=nn.functional.cross_entropy,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        kind="classification",
    )


def unjudgeable(seed, fault="raises"):
    """A task whose model can be trained, and not be evaluated."""
    task = two_sides(seed)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = task.model

        def forward(self, inputs):
            outputs = self.net(inputs)
            if self.training:
                return outputs
            if fault == "raises":
                raise IndexError("no such head")
            return outputs * float("nan")

    return replace(task, model=Model())


def unmade(seed):
    raise OSError("the disk is on fire")


def no_task(seed):
    return nn.Linear(2, 2)


def without_its_data(seed, fault):
    """A task that finds no room for what it generates, or another file than the one that was published."""
    raise {"full": cannot_write("/cache", OSError(28, "no room"), "wait"), "damaged": DataError("delete it")}[fault]
