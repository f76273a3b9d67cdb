"""The two modes of an optimizer that has them.

A schedule-free optimizer trains at one point and is judged at another: between `eval()` and `train()` the parameters
are those to evaluate, and to save. An optimizer without both methods has one point.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.optim import Optimizer


def enter_training(optimizer: Optimizer) -> None:
    """Put an optimizer into the mode in which it makes steps: some refuse to make one before."""
    modes: Any = optimizer
    if has_modes(optimizer):
        modes.train()


@contextmanager
def evaluating(optimizer: Optimizer) -> Iterator[None]:
    """Have the parameters at the point that is to be judged."""
    modes: Any = optimizer
    if not has_modes(optimizer):
        yield
        return
    modes.eval()
    try:
        yield
    finally:
        modes.train()


def has_modes(optimizer: Optimizer) -> bool:
    """Return whether it trains at one point and is judged at another."""
    return all(callable(getattr(optimizer, name, None)) for name in ("train", "eval"))
