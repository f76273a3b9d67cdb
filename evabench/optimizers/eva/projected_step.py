"""The step that Eva and Eva-f share, once the vectors are known: project, clip, skip or descend.

Legend: D the projected gradient of `rank_one`; P = D / divisor the direction; nu the factor of the clip.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.eva.ablation import solving_damping
from evabench.optimizers.eva.averages import Update
from evabench.optimizers.eva.rank_one import Projection
from evabench.optimizers.eva.small_layers import goes_together
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.phases import phase
from evabench.optimizers.step.descent import descend_groups_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.scaling import Lengths, direction_scale
from evabench.optimizers.step.skips import Skips, gradient_norms
from evabench.optimizers.tensors import dense_like, in_full_precision

Projections = Mapping[Layer, Projection]


@dataclass(frozen=True, slots=True, eq=False)
class ReadyLayer:
    """A layer that has a gradient and statistics."""

    layer: Layer
    damping: float  # of the solve
    vectors: tuple[Tensor, ...]  # a, and of Eva b


def ready_layers(
    layers: Sequence[Layer],
    groups: list[dict[str, Any]],
    states: Mapping[Tensor, Any],
    vectors: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]],
) -> Iterator[ReadyLayer]:
    """Yield the layers that have a gradient and statistics; `vectors` finds theirs in the state of a weight."""
    group_of = {parameter: group for group in groups for parameter in group["params"]}
    for layer in layers:
        state = states[layer.weight]
        if layer.has_gradient and "a" in state:
            yield ReadyLayer(layer, solving_damping(group_of[layer.weight]), vectors(state))


@phase("precondition")
def project_layers_(
    ready: Iterable[ReadyLayer],
    project_: Callable[..., Projection],
    project_all_: Callable[..., list[Projection]] | None,
) -> dict[Layer, Projection]:
    """Project the gradients of layers in place, each in the precision of its vectors.

    `project_` is a function of G, g, the vectors and the damping, one layer at a time; `project_all_` one of lists of
    them, for layers that go together. None: these, too, come one by one.
    """
    projections: dict[Layer, Projection] = {}
    together: dict[tuple[object, ...], list[ReadyLayer]] = {}
    for one in ready:
        if project_all_ is None or not goes_together(one.layer):
            projections[one.layer] = _project_(one, project_)
        else:
            weight = one.layer.weight
            kind = (one.damping, one.layer.bias is None, weight.dtype, weight.device)
            together.setdefault(kind, []).append(one)
    if project_all_ is not None:
        for alike in together.values():
            projections |= _project_all_(alike, project_all_)
    return projections


def _project_(one: ReadyLayer, project_: Callable[..., Projection]) -> Projection:
    gradients = _dense_gradients(one.layer)
    # A gradient in half precision is projected in a copy, the one temporary of the size of a layer.
    exact = [in_full_precision(gradient) for gradient in gradients]
    a, *b = one.vectors
    G, row = one.layer.align(exact[0], a)
    columns = [each.view(one.layer.num_groups, -1) if one.layer.num_groups > 1 else each for each in b]
    projection = project_(G, exact[1] if len(exact) > 1 else None, row, *columns, one.damping)
    for gradient, projected in zip(gradients, exact, strict=True):
        if projected is not gradient:
            gradient.copy_(projected)
    return projection


def _project_all_(
    alike: Sequence[ReadyLayer], project_all_: Callable[..., list[Projection]]
) -> dict[Layer, Projection]:
    gradients = [_dense_gradients(one.layer) for one in alike]
    biases = [bias for _, *rest in gradients for bias in rest]
    pairs = [one.layer.align(weight, one.vectors[0]) for one, (weight, *_) in zip(alike, gradients, strict=True)]
    Gs, rows = map(list, zip(*pairs, strict=True))
    columns = [list(each) for each in zip(*(one.vectors[1:] for one in alike), strict=True)]
    projections = project_all_(Gs, biases, rows, *columns, alike[0].damping)
    return {one.layer: projection for one, projection in zip(alike, projections, strict=True)}


def _dense_gradients(layer: Layer) -> list[Tensor]:
    """Return the gradients in the memory layout of their parameters, the weight's first."""
    gradients = []
    for parameter in layer.parameters:
        assert parameter.grad is not None
        parameter.grad = dense_like(parameter.grad, parameter)
        gradients.append(parameter.grad)
    return gradients


@phase("precondition")
def take_step_(
    optimizer: torch.optim.Optimizer,
    projections: Projections,
    vectors: Update | None,
    *,
    names: Mapping[nn.Parameter, str],
    skips: Skips,
    divides: bool,
) -> Tensor | None:
    """Scale the projected gradients to directions, and follow them, unless one is not finite.

    `divides` says that P has a factor 1 / damping. Where the step is skipped the vectors stay what they were, too.
    Returns whether the directions are too long for half precision, so that they are not followed; None without it.
    """
    sizes = {layer.weight: projection.D_square for layer, projection in projections.items()}
    covered = {parameter for layer in projections for parameter in layer.parameters}
    sizes |= gradient_norms(parameter for parameter in names if parameter not in covered)
    skip = skips.check(sizes, found_infinity(optimizer))
    if vectors is not None:
        vectors.commit_(skip)
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    divisors: dict[nn.Parameter, Tensor] = {}
    broken = None
    if projections:
        members = _members(optimizer.param_groups, projections)
        nu, P_square = _clip(members, projections, carried, divides)
        if any(layer.weight.dtype is torch.float16 for layer in projections):
            broken = (skip == 0) & ~(nu * P_square.sqrt() < torch.finfo(torch.float16).max)
            skip = torch.maximum(skip, broken.to(skip))
        unit = nu.reciprocal() if carried is None else carried / nu
        for group, layers in members:
            divisor = unit * group["damping"] if divides else unit
            divisors |= {parameter: divisor for layer in layers for parameter in layer.parameters}
    descend_groups_(optimizer.param_groups, optimizer.state, divisors=divisors, other_divisor=carried, skip=skip)
    return broken


_Members = list[tuple[dict[str, Any], list[Layer]]]  # groups, each with its projected layers


def _clip(members: _Members, projections: Projections, carried: Tensor | None, divides: bool) -> tuple[Tensor, Tensor]:
    """Return nu, one for the layers of all groups, and |P|^2 without it."""
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
    return torch.ones_like(lengths.inner) if nu is None else nu, lengths.direction_square


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


def projected_lengths(projections: Sequence[Projection], *, damping: float, divisor: float, lr: float) -> Lengths:
    """Return the lengths of P = D / divisor for layers whose gradient was projected to D (`rank_one`).

    All follow from |D|^2, as sums of positive terms that cannot cancel; with q the curvature of a layer:

        <D, G> = |D|^2 + damping c^2        |G|^2 = |D|^2 + 2 damping c^2 + q c^2
    """
    values = [value for part in zip(*projections, strict=True) for value in part]
    D_square, c_square, curved = torch.stack(values).view(3, -1).sum(1).unbind()
    inner = (D_square + damping * c_square) / divisor
    gradient_square = D_square + 2 * damping * c_square + curved
    return Lengths(inner, lr**2 * inner, gradient_square, D_square / divisor**2)
