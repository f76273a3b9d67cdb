"""The step that Eva and Eva-f share, once the vectors are known: project, clip, skip or descend.

Legend: D the projected gradient of `rank_one`; P = D / divisor the direction; nu the factor of the clip.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.averages import Update
from evabench.optimizers.descent import descend_groups_
from evabench.optimizers.layers import Layer, dense_like, in_full_precision
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
    gradients = []
    for parameter in layer.parameters:
        assert parameter.grad is not None
        parameter.grad = dense_like(parameter.grad, parameter)
        gradients.append(parameter.grad)
    # A gradient in half precision is projected in a copy, the one temporary of the size of a layer.
    exact = [in_full_precision(gradient) for gradient in gradients]
    G, row = layer.align(exact[0], a)
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
    sizes = {layer.weight: projection.D_square for layer, projection in projections.items()}
    covered = {parameter for layer in projections for parameter in layer.parameters}
    sizes |= gradient_norms(parameter for parameter in names if parameter not in covered)
    skip = skips.check(sizes, found_infinity(optimizer))
    if vectors is not None:
        vectors.commit_(skip)
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    divisors: dict[nn.Parameter, Tensor] = {}
    if projections:
        members = _members(optimizer.param_groups, projections)
        nu = _clip(members, projections, carried, divides)
        unit = nu.reciprocal() if carried is None else carried / nu
        for group, layers in members:
            divisor = unit * group["damping"] if divides else unit
            divisors |= {parameter: divisor for layer in layers for parameter in layer.parameters}
    descend_groups_(optimizer.param_groups, optimizer.state, divisors=divisors, other_divisor=carried, skip=skip)


_Members = list[tuple[dict[str, Any], list[Layer]]]  # groups, each with its projected layers


def _clip(members: _Members, projections: Projections, carried: Tensor | None, divides: bool) -> Tensor:
    """Return nu, one for the layers of all groups."""
    parts = [
        projected_lengths(
            [projections[layer] for layer in layers],
            damping=group["damping"],
            divisor=group["damping"] if divides else 1.0,
            lr=group["lr"],
        )
        for group, layers in members
    ]
    lengths = Lengths(*(sum(values[1:], values[0]) for values in zip(*parts, strict=True)))
    if carried is not None:
        lengths = Lengths(*(value / carried.square() for value in lengths))
    group = members[0][0]
    nu = direction_scale(group["clip"], lengths, group["kl_clip"])
    return torch.ones_like(lengths.inner) if nu is None else nu


def _members(groups: list[dict[str, Any]], projections: Projections) -> _Members:
    if len(groups) == 1:
        return [(groups[0], list(projections))]
    members: _Members = []
    for group in groups:
        held = set(group["params"])
        layers = [layer for layer in projections if layer.weight in held]
        if layers:
            members.append((group, layers))
    return members


def restore_statistics(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any], names: Sequence[str]) -> None:
    """Put back statistics that `load_state_dict` has cast to the type of their parameter, in their own precision."""
    saved = [key for group in state_dict["param_groups"] for key in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for key, parameter in zip(saved, parameters, strict=True):
        for name in names:
            value = state_dict["state"].get(key, {}).get(name)
            if value is not None:
                optimizer.state[parameter][name] = value.to(parameter.device)
