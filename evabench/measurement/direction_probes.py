"""Which way the steps of a training run go: the kind of measurement "directions".

The run is like a judged one, and never is one: what is read costs time, and its clock would be wrong. The steps
themselves are those of the training, with running statistics, refresh intervals and clip as they are there.

Legend: G [parameters of a layer] the gradient, P what was followed, nu the factor of the clip.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evabench.measurement.bench import Bench
from evabench.measurement.curvature_size import curvature_sizes
from evabench.measurement.mechanism.rank_one_shares import cosine, known
from evabench.measurement.modes import evaluating
from evabench.measurement.step import both_passes
from evabench.optimizers.shell.preconditioner import Preconditioner
from evabench.records.directions import DirectionProbe, Directions, Followed, LayerDirection
from evabench.records.measurement import DirectionsSettings
from evabench.workloads.schedule import ScheduledRate
from evabench.workloads.workload import Batch

Tensors = Mapping[nn.Parameter, Tensor]


class Part(NamedTuple):
    """A layer, or a module with parameters of its own."""

    name: str
    parameters: Sequence[nn.Parameter]


class Seen(NamedTuple):
    """One step: the gradients that it was given, and what it followed."""

    gradients: Tensors
    followed: Tensors


class Clipped(TypedDict):
    """What a clip asks of the directions of all layers."""

    inner: float  # <P, G>
    step_inner: float  # lr^2 <P, G>


def measure_directions(bench: Bench, settings: DirectionsSettings) -> Directions:
    """Train as the settings say, and look at the steps that are to be probed; it ends with the last of them."""
    rate = ScheduledRate(bench.optimizer, settings.training)
    batches = bench.workload.batches()
    followed: Followed = "direction" if isinstance(bench.optimizer, Preconditioner) else "update"
    probed = settings.probed_steps
    probes: list[DirectionProbe] = []
    for index in range(probed[-1] + 1):
        rate.set_for(index)
        batch = next(batches)
        if index not in probed:
            bench.train(batch)
            continue
        probes.append(_probe(bench, batch, index))
        if probes[-1].validation_loss is None:
            break
    return Directions(followed=followed, probes=tuple(probes), trivial_levels=bench.workload.trivial_levels())


def clip_factor(settings: Mapping[str, object], clipped: Clipped) -> float | None:
    """Return nu from what the clipped directions say. None: there is none to tell, or it does not follow from them.

    With P = nu P', P' the direction before the clip:

        kl_clip           nu = min(1, sqrt(kappa / (lr^2 <P', G>)))  gives  nu = min(1, kappa / (lr^2 <P, G>))
        kl_normalization  nu = 1 / sqrt(<P', G>)                     gives  nu = 1 / <P, G>
    """
    kappa = settings.get("kl_clip")
    match settings.get("clip"):
        case "kl_clip" if isinstance(kappa, float) and clipped["step_inner"] > 0:
            return min(1.0, kappa / clipped["step_inner"])
        case "kl_normalization" if clipped["inner"] > 0:
            return 1 / clipped["inner"]
        case "none":
            return 1.0
        case _:
            return None


def _probe(bench: Bench, batch: Batch, index: int) -> DirectionProbe:
    with evaluating(bench.optimizer):
        loss = bench.workload.validation().loss
    if not math.isfinite(loss):
        return DirectionProbe(step=index, validation_loss=None, layers=())
    seen = _watched_step(bench, batch)
    if seen is None:
        return DirectionProbe(step=index, validation_loss=loss, layers=())
    optimizer = bench.optimizer
    parts = [
        part for part in _parts(bench.workload.model, optimizer) if all(p in seen.followed for p in part.parameters)
    ]
    has_rate = isinstance(optimizer, Preconditioner) or _rates(optimizer) is not None
    sizes = curvature_sizes(optimizer) if isinstance(optimizer, Preconditioner) else {}
    return DirectionProbe(
        step=index,
        validation_loss=loss,
        layers=tuple(_compared(part, seen, sizes.get(part.name), has_rate) for part in parts),
        clip_factor=_clip_factor(optimizer, parts, seen) if isinstance(optimizer, Preconditioner) else None,
        stretch=_stretch([p for part in parts for p in part.parameters], seen) if has_rate and parts else None,
    )


def _watched_step(bench: Bench, batch: Batch) -> Seen | None:
    """Make one training step and return what it did; None where the step makes its own passes: it has no gradient."""
    if bench.closure:
        bench.train(batch)
        return None
    optimizer = bench.optimizer
    optimizer.zero_grad(set_to_none=True)
    both_passes(bench.workload, batch)
    trained = [each for group in optimizer.param_groups for each in group["params"] if each.grad is not None]
    gradients = {each: each.grad.detach().clone() for each in trained}
    before = None if isinstance(optimizer, Preconditioner) else {each: each.detach().clone() for each in trained}
    optimizer.step()
    if before is None:
        return Seen(gradients, {each: each.grad.detach() for each in trained if each.grad is not None})
    rates = _rates(optimizer) or dict.fromkeys(trained, 1.0)
    return Seen(gradients, {each: (was - each.detach()) / rates[each] for each, was in before.items()})


def _rates(optimizer: Optimizer) -> dict[nn.Parameter, float] | None:
    """Return the learning rate of each parameter; None where a group has none, or one of 0."""
    rates: dict[nn.Parameter, float] = {}
    for group in optimizer.param_groups:
        rate = group.get("lr")
        if not isinstance(rate, int | float | Tensor) or not float(rate):
            return None
        rates |= dict.fromkeys(group["params"], float(rate))
    return rates


def _parts(model: nn.Module, optimizer: Optimizer) -> list[Part]:
    """Return what an optimizer of ours preconditions, or every module with parameters; a shared one counts once."""
    if isinstance(optimizer, Preconditioner):
        return [Part(layer.name, layer.parameters) for layer in optimizer.layers]
    seen: set[nn.Parameter] = set()
    parts = []
    for name, module in model.named_modules():
        own = [each for each in module.parameters(recurse=False) if each not in seen and each.requires_grad]
        seen.update(own)
        if own:
            parts.append(Part(name or type(module).__name__, own))
    return parts


def _compared(part: Part, seen: Seen, curvature: float | None, has_rate: bool) -> LayerDirection:
    gradient, followed = (_flat(part.parameters, tensors) for tensors in seen)
    length, followed_length = (torch.linalg.vector_norm(each) for each in (gradient, followed))
    return LayerDirection(
        name=part.name,
        gradient_square=known(length.square()),
        cosine=known(cosine(followed, gradient)),
        stretch=known(followed_length / length) if has_rate else None,
        curvature=None if curvature is None else known(torch.tensor(curvature)),
    )


def _stretch(parameters: Sequence[nn.Parameter], seen: Seen) -> float | None:
    gradient, followed = (_flat(parameters, tensors) for tensors in seen)
    return known(torch.linalg.vector_norm(followed) / torch.linalg.vector_norm(gradient))


def _clip_factor(optimizer: Optimizer, parts: Sequence[Part], seen: Seen) -> float | None:
    rates = _rates(optimizer) or {}
    inner = {
        each: float(torch.dot(seen.followed[each].double().flatten(), seen.gradients[each].double().flatten()))
        for part in parts
        for each in part.parameters
    }
    step_inner = sum(rates.get(each, 0.0) ** 2 * value for each, value in inner.items())
    factor = clip_factor(optimizer.param_groups[0], {"inner": sum(inner.values()), "step_inner": step_inner})
    return None if factor is None else known(torch.tensor(factor))


def _flat(parameters: Sequence[nn.Parameter], tensors: Tensors) -> Tensor:
    return torch.cat([tensors[each].double().flatten() for each in parameters])
