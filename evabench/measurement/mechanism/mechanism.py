"""Probes of a model in training: a copy of it in double precision, both passes of one batch, and what they show.

The copy has no hooks of the training optimizer and draws random numbers of its own, so that training goes on as if
nobody had looked.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from evabench.measurement.bench import Bench
from evabench.measurement.mechanism.directions import (
    Gradients,
    Pair,
    attach,
    pair_both_sides,
    pair_gradient_means,
    pair_input_side,
    shampoo_directions,
    with_gradient_lengths,
)
from evabench.measurement.mechanism.factor_shares import FactorCapture
from evabench.measurement.mechanism.rank_one_shares import changed_share, cosine, known
from evabench.optimizers.layers.layers import find_layers
from evabench.optimizers.layers.parts import find_rest
from evabench.optimizers.step.scaling import kl_clip_divisor
from evabench.records.measurement import MechanismSettings, ViewSettings
from evabench.records.mechanism import Approximation, LayerDirections, Mechanism, MechanismProbe, View
from evabench.workloads.computed import plain
from evabench.workloads.seeds import seeded

LossOf = Callable[[nn.Module, Any], Tensor]  # a model and a batch -> the mean loss to go backward from


def measure_mechanism(bench: Bench, settings: MechanismSettings) -> Mechanism:
    """Train the cell's optimizer on its workload, at a constant rate, and probe on the way."""
    workload = bench.workload
    batches = workload.batches()
    return watch_mechanism(
        workload.model,
        lambda model, batch: plain(workload, model).loss(batch),
        lambda: next(batches),
        bench.train,
        settings,
    )


def watch_mechanism(
    model: nn.Module,
    loss_of: LossOf,
    next_batch: Callable[[], Any],
    step: Callable[[Any], object],
    settings: MechanismSettings,
) -> Mechanism:
    """Train to the last probe, or until a loss is no longer finite, and probe on the way."""
    probes: list[MechanismProbe] = []
    for index in range(settings.probe_at[-1] + 1):
        batch = next_batch()
        if index in settings.probe_at:
            probes.append(probe(model, loss_of, batch, settings, step=index))
            if probes[-1].loss is None:
                break
        if index < settings.probe_at[-1]:
            step(batch)
    probed = {layer.name for layer in probes[0].layers}
    idle = [f"{layer.name}: {layer.why_idle}" for layer in find_layers(model) if layer.name not in probed]
    rest = [f"{each.name}: {each.reason}" for each in find_rest(model, find_layers(model))]
    return Mechanism(probes=tuple(probes), layers_left_out=(*idle, *rest))


def probe(model: nn.Module, loss_of: LossOf, batch: Any, settings: MechanismSettings, *, step: int) -> MechanismProbe:
    """Return what one batch shows; the model is not touched."""
    batch = tree_map(_in_double_precision, batch)
    probed = _copy(model)
    capture = FactorCapture(probed)
    loss = known(_both_passes(probed, loss_of, batch, seed=step))
    if loss is None:
        return MechanismProbe(step=step, loss=None, layers=(), views=())
    layers = capture.layers
    names = frozenset(layer.name for layer in layers)
    energies = capture.energies()
    shampoo = shampoo_directions(probed, layers, _gradients(probed))
    del capture, layers, probed  # as large as the model in several places
    views = []
    for view in settings.views:
        viewed = _copy(model)
        methods = attach(viewed, view, settings.weight_sharing)
        _both_passes(viewed, loss_of, batch, seed=step)
        gradients = _gradients(viewed)
        layers = [layer for layer in methods.eva.layers if layer.name in names]
        both = pair_both_sides(methods, layers, gradients, view.damping)
        one = pair_input_side(methods, layers, gradients)
        means = pair_gradient_means(layers, gradients, shampoo, view.damping)
        views.append(_view(view, settings, both, one, means))
    return MechanismProbe(step=step, loss=loss, layers=energies, views=tuple(views))


def _copy(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).double().train()


def _in_double_precision(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def _both_passes(model: nn.Module, loss_of: LossOf, batch: Any, *, seed: int) -> Tensor:
    model.zero_grad()
    with seeded(seed):
        loss = loss_of(model, batch)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's annotation is incomplete
    return loss.detach()


def _gradients(model: nn.Module) -> Gradients:
    return {each: each.grad.clone() for each in model.parameters() if each.grad is not None}


def _view(view: ViewSettings, settings: MechanismSettings, eva: Pair, eva_f: Pair, eva_s: Pair) -> View:
    layers = tuple(
        LayerDirections(
            eva=_approximation(eva, place),
            eva_f=_approximation(eva_f, place),
            eva_s=_approximation(eva_s, place),
            eva_curvature=known(eva.curvatures[place] / view.damping),
            eva_f_curvature=known(eva_f.curvatures[place] / view.damping),
            eva_s_curvature=known(eva_s.curvatures[place] / view.damping),
        )
        for place in range(len(eva.gradients))
    )
    projected, gradient = _flat(eva.projected), _flat(eva.gradients)
    kl_size = settings.lr**2 * torch.dot(projected, gradient) / view.damping
    clip_factor = kl_clip_divisor(kl_size / settings.kl_clip).reciprocal()
    gain = clip_factor * torch.linalg.vector_norm(projected) / torch.linalg.vector_norm(gradient) / view.damping
    return View(
        name=view.name,
        layers=layers,
        eva=_of_net(eva, projected),
        eva_f=_of_net(eva_f, _flat(eva_f.projected)),
        eva_s=_of_net(eva_s, _flat(with_gradient_lengths(eva_s))),
        kl_size=known(kl_size),
        clip_factor=known(clip_factor),
        step_gain=known(gain),
    )


def _approximation(pair: Pair, place: int) -> Approximation:
    projected, gradient, exact = pair.projected[place], pair.gradients[place], pair.exact[place]
    return Approximation(
        to_exact=known(cosine(projected, exact)),
        to_gradient=known(cosine(projected, gradient)),
        exact_to_gradient=known(cosine(exact, gradient)),
        changed=known(changed_share(projected, gradient)),
    )


def _of_net(pair: Pair, stepped: Tensor) -> Approximation:
    """Return the cosines of all layers as one vector; `stepped` has the lengths that the method gives its layers."""
    gradient, exact = _flat(pair.gradients), _flat(pair.exact)
    return Approximation(
        to_exact=known(cosine(stepped, exact)),
        to_gradient=known(cosine(stepped, gradient)),
        exact_to_gradient=known(cosine(exact, gradient)),
        changed=known(changed_share(_flat(pair.projected), gradient)),
    )


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([each.reshape(-1) for each in tensors])
