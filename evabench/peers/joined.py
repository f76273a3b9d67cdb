"""Several optimizers that share out the parameters of a model, as one."""

from collections.abc import Sequence
from typing import final

import torch
from torch import nn
from torch.optim import Optimizer


@final
class Joined(Optimizer):
    """Steps each part in turn. The groups are the parts' own, so that a schedule reaches all; the state is shared."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.parts = tuple(parts)
        for part in parts:
            part.state = self.state

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters once."""
        for part in self.parts:
            part.step()


def parameters_without(model: nn.Module, taken: Sequence[nn.Parameter]) -> list[nn.Parameter]:
    """Return the trained parameters of the model that are not among `taken`."""
    names = {id(parameter) for parameter in taken}
    return [each for each in model.parameters() if each.requires_grad and id(each) not in names]
