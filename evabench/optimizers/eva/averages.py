"""Running averages of vectors, updated together and written only when the step is known to be sound.

A vector of NaN stands for "no value yet", so that a first step that was skipped on the device leaves no trace: the
next value starts the average.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evabench.optimizers.layers.layers import Layer


def find_or_start(states: dict[str, Any], name: str, like: Tensor) -> Tensor:
    """Return the average of this name, which has no value yet where it is new."""
    if name not in states:
        states[name] = torch.full_like(like, torch.nan)
    average: Tensor = states[name]
    return average


def current(average: Tensor) -> Tensor:
    """Return the average as a step without a new value sees it: the old one, or zeros without any."""
    return average.nan_to_num(nan=0.0)


def has_value(state: Mapping[str, Tensor], name: str) -> bool:
    """Return whether a state has an average of this name, with a value; waits for the device."""
    return name in state and not bool(state[name].isnan().any())


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Averages before and after a step, each side in one flat vector."""

    averages: list[Tensor]  # what `commit_` writes to
    before: Tensor
    after: Tensor
    layers: tuple[Layer, ...] = ()  # whose averages they are: the first of every layer, then the second of each

    def by_layer(self, num_averages: int) -> dict[Layer, tuple[Tensor, ...]]:
        """Return the averages after the step, so many a layer."""
        vectors, num_layers = self.vectors(), len(self.layers)
        each = [vectors[start : start + num_layers] for start in range(0, num_averages * num_layers, num_layers)]
        return dict(zip(self.layers, zip(*each, strict=True), strict=True))

    def vectors(self) -> list[Tensor]:
        """Return the averages after the step."""
        parts = torch.split(self.after, [average.numel() for average in self.averages])
        if len({average.dtype for average in self.averages}) == 1:
            return list(parts)
        return [part.to(average.dtype) for part, average in zip(parts, self.averages, strict=True)]

    def commit_(self, skip: Tensor) -> None:
        """Write the averages, or leave them as they were where `skip` is not 0."""
        settled = torch.where(skip > 0, self.before, self.after)
        parts = torch.split(settled, [average.numel() for average in self.averages])
        torch._foreach_copy_(self.averages, list(parts))


def update_averages(layers: tuple[Layer, ...], averages: list[Tensor], fresh: Tensor, weight: float) -> Update:
    """Return m <- (1 - weight) m + weight * fresh, with the first value as the start and no bias correction.

    `fresh` is flat, in the order of the averages. The weight is that of the new value, as in the authors' code.
    """
    before = torch.cat(averages)
    after = torch.where(before.isnan(), fresh, torch.lerp(before, fresh.to(before.dtype), weight))
    return Update(layers=layers, averages=averages, before=before, after=after)
