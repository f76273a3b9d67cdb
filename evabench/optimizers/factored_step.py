"""The step that K-FAC and FOOF share, once the factors are known: directions, clip, descent.

Legend: G gradient, P direction of a layer; nu the factor of the clip, one for the layers of all groups.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from evabench.optimizers.descent import descend_groups_
from evabench.optimizers.layers import Layer, in_full_precision
from evabench.optimizers.loss_scale import gradient_scale
from evabench.optimizers.phases import phase
from evabench.optimizers.scaling import Lengths, direction_scale, inner_product

Ready = list[tuple[dict[str, Any], Layer]]


class Directed(NamedTuple):
    """What a clip asks of a layer; 0-d tensors."""

    inner: Tensor  # <P, G>
    gradient_square: Tensor
    direction_square: Tensor


def ready_layers(
    layers: Sequence[Layer], groups: list[dict[str, Any]], states: Mapping[Tensor, Any]
) -> Iterator[tuple[dict[str, Any], Layer]]:
    """Yield the layers that have a gradient and factors, with the group of their weight."""
    group_of = {parameter: group for group in groups for parameter in group["params"]}
    for layer in layers:
        if layer.has_gradient and "A" in states[layer.weight]:
            yield group_of[layer.weight], layer


@phase("precondition")
def direct_(layer: Layer, direction: Callable[[Tensor], Tensor], clip: str) -> Directed:
    """Write the direction of a layer into `.grad`, which leaves one temporary of a gradient's size alive."""
    G = layer.gradient()
    exact = in_full_precision(G)
    P = direction(exact)
    inner = inner_product(P, exact)
    zero = torch.zeros_like(inner)
    squares = (inner_product(exact, exact), inner_product(P, P)) if clip == "rescale" else (zero, zero)
    layer.set_gradient_(P)
    return Directed(inner, *squares)


@phase("precondition")
def take_step_(
    optimizer: torch.optim.Optimizer, directed: Sequence[Directed], ready: Ready, skip: Tensor
) -> Tensor | None:
    """Follow the directions, scaled by the clip, unless one is not finite; the others are SGD's.

    Returns whether the mathematics failed, a direction that is not finite from gradients that are; None without layers.
    """
    groups = optimizer.param_groups
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    divisors: dict[nn.Parameter, Tensor] = {}
    broken = None
    if directed:
        inner = torch.stack([each.inner for each in directed])
        finite = inner.isfinite().all()
        broken = (skip == 0) & ~finite
        skip = torch.where(finite, skip, 1.0)
        squares_of_lr = inner.new_tensor([group["lr"] ** 2 for group, _ in ready])
        lengths = Lengths(
            inner.sum(),
            (squares_of_lr * inner).sum(),
            torch.stack([each.gradient_square for each in directed]).sum(),
            torch.stack([each.direction_square for each in directed]).sum(),
        )
        if carried is not None:
            lengths = Lengths(*(value / carried.square() for value in lengths))
        nu = direction_scale(groups[0]["clip"], lengths, groups[0]["kl_clip"])
        if nu is not None:
            divisor = 1.0 / nu if carried is None else carried / nu
            divisors = {parameter: divisor for _, layer in ready for parameter in layer.parameters}
    descend_groups_(groups, optimizer.state, divisors=divisors, other_divisor=carried, skip=skip)
    return broken


def expects_statistics(group: Mapping[str, Any]) -> bool:
    """Return whether the coming step updates the factors."""
    return bool(group["step"] % (group["statistics_every"] or group["refresh_every"]) == 0)


def expects_refresh(group: Mapping[str, Any]) -> bool:
    """Return whether the coming step factorises the factors."""
    return bool(group["step"] % group["refresh_every"] == 0)
