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
from evabench.optimizers.eva.projected_lengths import Projected, ProjectedLengths
from evabench.optimizers.eva.rank_one import Projection
from evabench.optimizers.eva.small_layers import Projections, goes_together
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.phases import phase
from evabench.optimizers.step.descent import descend_
from evabench.optimizers.step.loss_scale import found_infinity, gradient_scale
from evabench.optimizers.step.scaling import direction_divisor
from evabench.optimizers.step.skips import Skips, gradient_norms
from evabench.optimizers.tensors import dense_like, in_full_precision

Group = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ReadyLayer:
    """A layer that has a gradient and statistics."""

    layer: Layer
    group: Group  # of its weight
    vectors: tuple[Tensor, ...]  # a, and of Eva b


def ready_layers(
    layers: Sequence[Layer],
    groups: list[Group],
    states: Mapping[Tensor, Any],
    vectors: Callable[[Layer, Mapping[str, Tensor]], tuple[Tensor, ...]],
) -> Iterator[ReadyLayer]:
    """Yield the layers that have a gradient and statistics; `vectors` finds theirs, or takes them from the state."""
    group_of = {} if len(groups) == 1 else {parameter: group for group in groups for parameter in group["params"]}
    for layer in layers:
        state = states[layer.weight]
        if layer.has_gradient and "a" in state:
            yield ReadyLayer(layer, group_of[layer.weight] if group_of else groups[0], vectors(layer, state))


@phase("precondition")
def project_layers_(
    ready: Iterable[ReadyLayer],
    project_: Callable[..., Projection],
    project_all_: Callable[..., Projections] | None,
) -> list[Projected]:
    """Project the gradients of layers in place, each in the precision of its vectors.

    `project_` is a function of G, g, the vectors and the damping, one layer at a time; `project_all_` one of lists of
    them, for layers that go together. None: these, too, come one by one.
    """
    alone: dict[int, list[ReadyLayer]] = {}
    together: dict[tuple[object, ...], list[ReadyLayer]] = {}
    for one in ready:
        weight = one.layer.weight
        if project_all_ is None or not goes_together(one.layer):
            alone.setdefault(id(one.group), []).append(one)
        else:
            together.setdefault((id(one.group), weight.dtype, weight.device), []).append(one)
    projected = [_project_one_by_one_(alike, project_) for alike in alone.values()]
    if project_all_ is not None:
        projected += [_project_all_(alike, project_all_) for alike in together.values()]
    return projected


def _project_one_by_one_(alike: Sequence[ReadyLayer], project_: Callable[..., Projection]) -> Projected:
    damping = solving_damping(alike[0].group)
    lengths = [length for one in alike for length in _project_(one, project_, damping)]
    D_squares, c_squares, curved = torch.stack(lengths).view(-1, 3).unbind(1)
    return Projected(alike[0].group, [one.layer for one in alike], D_squares, c_squares, lambda: curved)


def _project_(one: ReadyLayer, project_: Callable[..., Projection], damping: float) -> Projection:
    gradients = _dense_gradients(one.layer)
    # A gradient in half precision is projected in a copy, the one temporary of the size of a layer.
    exact = [in_full_precision(gradient) for gradient in gradients]
    a, *b = one.vectors
    G, row = one.layer.align(exact[0], a)
    columns = [each.view(one.layer.num_groups, -1) if one.layer.num_groups > 1 else each for each in b]
    projection = project_(G, exact[1] if len(exact) > 1 else None, row, *columns, damping)
    for gradient, projected in zip(gradients, exact, strict=True):
        if projected is not gradient:
            gradient.copy_(projected)
    return projection


def _project_all_(alike: Sequence[ReadyLayer], project_all_: Callable[..., Projections]) -> Projected:
    group = alike[0].group
    alike = sorted(alike, key=lambda one: one.layer.bias is None)
    gradients = [_dense_gradients(one.layer) for one in alike]
    biases = [bias for _, *rest in gradients for bias in rest]
    pairs = [one.layer.align(weight, one.vectors[0]) for one, (weight, *_) in zip(alike, gradients, strict=True)]
    Gs, rows = map(list, zip(*pairs, strict=True))
    columns = [list(each) for each in zip(*(one.vectors[1:] for one in alike), strict=True)]
    found = project_all_(Gs, biases, rows, *columns, solving_damping(group))
    return Projected(group, [one.layer for one in alike], found.D_squares, found.c_squares, found.curved)


def _dense_gradients(layer: Layer) -> list[Tensor]:
    """Return the gradients in the memory layout of their parameters, the weight's first."""
    gradients = []
    for parameter in layer.parameters:
        assert parameter.grad is not None
        dense = dense_like(parameter.grad, parameter)
        if dense is not parameter.grad:
            parameter.grad = dense
        gradients.append(dense)
    return gradients


@phase("precondition")
def take_step_(
    optimizer: torch.optim.Optimizer,
    projected: Sequence[Projected],
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
    covered = {id(parameter) for each in projected for layer in each.layers for parameter in layer.parameters}
    norms = gradient_norms(parameter for parameter in names if id(parameter) not in covered)
    order = [layer.weight for each in projected for layer in each.layers] + list(norms)
    sizes = [each.D_squares for each in projected] + ([torch.stack(list(norms.values()))] if norms else [])
    skip = skips.check_all(order, torch.cat(sizes) if len(sizes) > 1 else sizes[0], found_infinity(optimizer))
    if vectors is not None:
        vectors.commit_(skip)
    carried = gradient_scale(optimizer)  # by a loss that was scaled for mixed precision
    unit = broken = None  # None: the directions stay as long as they are
    if projected:
        lengths, group = ProjectedLengths(projected, divides, carried), projected[0].group
        unit = direction_divisor(group["clip"], lengths, group["kl_clip"])
        if any(layer.weight.dtype is torch.float16 for each in projected for layer in each.layers):
            length = lengths.direction_square().sqrt()
            length = length if unit is None else length / unit
            broken = (skip == 0) & ~(length < torch.finfo(torch.float16).max)
            skip = torch.maximum(skip, broken.to(skip))
        if carried is not None:
            unit = carried if unit is None else carried * unit
        if divides and unit is None:
            unit = projected[0].D_squares.new_ones(())
    for group in optimizer.param_groups:
        directed = [parameter for parameter in group["params"] if id(parameter) in covered]
        if directed:
            divisor = unit if unit is None or not divides else unit * group["damping"]
            descend_(group, optimizer.state, parameters=directed, divisor=divisor, skip=skip)
        plain = [parameter for parameter in group["params"] if id(parameter) not in covered]
        if plain:
            descend_(group, optimizer.state, parameters=plain, divisor=carried, skip=skip)
    return broken
