"""The step that Eva and Eva-f share, once the vectors are known: project, clip, skip or descend.

Legend: D the projected gradient of `rank_one`; P = D / divisor the direction; nu the factor of the clip.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.averages import Update
from evabench.optimizers.descent import descend_groups_
from evabench.optimizers.layers import Layer, dense_like
from evabench.optimizers.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.phases import phase
from evabench.optimizers.rank_one import Projection
from evabench.optimizers.scaling import Lengths, direction_scale, projected_lengths
from evabench.optimizers.skips import Skips, gradient_norms

Projections = Mapping[Layer, Projection]


def ready_layers(
    layers: Sequence[Layer], groups: list[dict[str, Any]], states: Mapping[Tensor, Any]
) -> Iterator[tuple[dict[str, Any], Layer]]:
    """Yield the layers that have a gradient and statistics, with the group of their weight."""
    group_of = {parameter: group for group in groups for parameter in group["params"]}
    for layer in layers:
        if layer.has_gradient and "a" in states[layer.weight]:
            yield group_of[layer.weight], layer


@phase("precondition")
def project_layer_(
    layer: Layer, a: Tensor, project_: Callable[[Tensor, Tensor | None, Tensor], Projection]
) -> Projection:
    """Project the gradient of a layer in place, by a function of G, g and a; in the precision of a."""
    for parameter in layer.parameters:
        assert parameter.grad is not None
        parameter.grad = dense_like(parameter.grad, parameter)
    gradients = layer.gradients()
    # A gradient in half precision is projected in a copy, the one temporary of the size of a layer.
    exact = [gradient.to(torch.promote_types(gradient.dtype, torch.float32)) for gradient in gradients]
    G, row = layer.align(exact[0], a.to(exact[0].dtype))
    projection = project_(G, exact[1] if len(exact) > 1 else None, row)
    for gradient, projected in zip(gradients, exact, strict=True):
        if projected is not gradient:
            gradient.copy_(projected)
    return projection


@phase("precondition")
def take_step_(
    optimizer: torch.optim.Optimizer,
    projections: Projections,
    vectors: Update | None,
    *,
    names: Mapping[nn.Parameter, str],
    skips: Skips,
    divides: bool,
) -> None:
    """Scale the projected gradients to directions, and follow them, unless one is not finite.

    `divides` says that P has a factor 1 / damping. Where the step is skipped the vectors stay what they were, too.
    """
    norms = gradient_norms(names)
    skip = skips.check(norms, found_infinity(optimizer))
    if vectors is not None:
        vectors.commit_(skip)
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    divisors: dict[nn.Parameter, Tensor] = {}
    if projections:
        nu = _clip(optimizer.param_groups, projections, norms, carried, divides)
        unit = torch.ones_like(nu) / nu if carried is None else carried / nu
        for group, members in _members(optimizer.param_groups, projections):
            divisor = unit * group["damping"] if divides else unit
            divisors |= {parameter: divisor for layer in members for parameter in layer.parameters}
    descend_groups_(optimizer.param_groups, optimizer.state, divisors=divisors, other_divisor=carried, skip=skip)


def _clip(
    groups: list[dict[str, Any]],
    projections: Projections,
    norms: Mapping[nn.Parameter, Tensor],
    carried: Tensor | None,
    divides: bool,
) -> Tensor:
    """Return nu, one for the layers of all groups."""
    parts = []
    for group, members in _members(groups, projections):
        D_square = torch.stack([norms[each] for layer in members for each in layer.parameters]).square().sum()
        parts.append(
            projected_lengths(
                D_square,
                [projections[layer] for layer in members],
                damping=group["damping"],
                divisor=group["damping"] if divides else 1.0,
                lr=group["lr"],
            )
        )
    lengths = Lengths(*(torch.stack(values).sum() for values in zip(*parts, strict=True)))
    if carried is not None:
        lengths = Lengths(*(value / carried.square() for value in lengths))
    nu = direction_scale(groups[0]["clip"], lengths, groups[0]["kl_clip"])
    return torch.ones_like(lengths.inner) if nu is None else nu


def _members(groups: list[dict[str, Any]], projections: Projections) -> Iterator[tuple[dict[str, Any], list[Layer]]]:
    """Yield the groups that have projected layers, with these."""
    for group in groups:
        held = set(group["params"])
        members = [layer for layer in projections if layer.weight in held]
        if members:
            yield group, members


def restore_statistics(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any], names: Sequence[str]) -> None:
    """Put back statistics that `load_state_dict` has cast to the type of their parameter, in their own precision."""
    saved = [key for group in state_dict["param_groups"] for key in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for key, parameter in zip(saved, parameters, strict=True):
        for name in names:
            value = state_dict["state"].get(key, {}).get(name)
            if value is not None:
                optimizer.state[parameter][name] = value.to(parameter.device)
