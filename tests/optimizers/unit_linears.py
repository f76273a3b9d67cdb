"""Layers of one weight: what their statistics are can be counted by hand."""

import pytest
import torch
from torch import nn

from evabench.optimizers import FOOF, KFAC, Eva, EvaF

each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, FOOF, KFAC])


def unit_linears(num=1):
    """Layers of one weight, which is 1."""
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(num))).double()
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    return model


def value(x):
    return torch.tensor([[float(x)]], dtype=torch.float64)


def make(optimizer_class, model):
    """Make an optimizer whose statistics after one step are those of the batch."""
    return optimizer_class(model, new_statistic_weight=1.0, lr=1e-3)


def statistics(optimizer, module):
    """Return the statistics of a 1x1 layer: a and b, or A and B."""
    state = optimizer.state[module.weight]
    return {name: float(state[name]) for name in ("a", "b", "A", "B") if name in state}


def seen(optimizer_class, a, b):
    """Return what `statistics` shall be where the rows have the input a and the output gradient b."""
    return {
        Eva: {"a": a, "b": b},
        EvaF: {"a": a},
        FOOF: {"A": a * a},
        KFAC: {"A": a * a, "B": b * b},
    }[optimizer_class]
