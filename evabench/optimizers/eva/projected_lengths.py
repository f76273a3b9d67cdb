"""What clips look at, from layers whose gradients are projected.

Legend: D the projected gradient of `rank_one`; P = D / divisor the direction; G the gradient; q the curvature. All
lengths follow from |D|^2, as sums of positive terms that cannot cancel:

    <D, G> = |D|^2 + damping c^2        |G|^2 = |D|^2 + 2 damping c^2 + q c^2
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from evabench.optimizers.layers.layers import Layer


class Projected(NamedTuple):
    """Layers of one group whose gradients are projected."""

    group: dict[str, Any]
    layers: list[Layer]
    D_squares: Tensor  # [layers], |D|^2: finite where the gradient is
    c_squares: Tensor  # [layers]
    curved: Callable[[], Tensor]  # [layers], q c^2


@final
@dataclass(frozen=True, slots=True)
class ProjectedLengths:
    """The lengths of the directions of all groups."""

    projected: Sequence[Projected]
    divides: bool  # P has a factor 1 / damping
    carried: Tensor | None = None  # by the gradients, of a loss that was scaled

    def inner(self) -> Tensor:
        """Return <P, G>."""
        return self._summed(_times(_inner(each), 1 / self._divisor(each)) for each in self.projected)

    def step_inner(self, unit: float) -> Tensor:
        """Return lr^2 <P, G> / unit, each layer with the learning rate of its group."""
        return self._summed(
            _times(_inner(each), each.group["lr"] ** 2 / (self._divisor(each) * unit)) for each in self.projected
        )

    def gradient_square(self) -> Tensor:
        """Return |G|^2."""
        return self._summed((_inner(each, 2.0).add_(each.curved().sum())) for each in self.projected)

    def direction_square(self) -> Tensor:
        """Return |P|^2."""
        return self._summed(_times(each.D_squares.sum(), self._divisor(each) ** -2) for each in self.projected)

    def _divisor(self, each: Projected) -> Any:
        return each.group["damping"] if self.divides else 1.0

    def _summed(self, of_groups: Iterator[Tensor]) -> Tensor:
        first = next(of_groups)
        summed = sum(of_groups, first)
        return summed if self.carried is None else summed / self.carried.square()


def _inner(each: Projected, times: float = 1.0) -> Tensor:
    """Return |D|^2 + times damping c^2, over the layers."""
    damping = times * each.group["damping"]
    if isinstance(damping, Tensor):  # which `alpha` would read on the host
        return (each.D_squares + damping * each.c_squares).sum()
    return torch.add(each.D_squares, each.c_squares, alpha=damping).sum()


def _times(value: Tensor, factor: Any) -> Tensor:
    return value if isinstance(factor, float) and factor == 1 else value * factor
