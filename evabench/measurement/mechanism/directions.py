"""Which way each method would step from here: its own optimizer takes a first step, and `.grad` is read.

A first step starts every running average with this batch, so a direction is that of this batch's statistics alone.
There is no clip, no momentum and no decay in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.eva.axis_means import project_axes_
from evabench.optimizers.eva.eva import Eva
from evabench.optimizers.eva.eva_f import EvaF
from evabench.optimizers.kfac.foof import FOOF
from evabench.optimizers.kfac.kfac import KFAC
from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.shampoo.shampoo import Shampoo
from evabench.records.measurement import ViewSettings
from evabench.settings.choices import OutputGradient, WeightSharing

Method = Eva | EvaF | KFAC | FOOF | Shampoo
Gradients = Mapping[nn.Parameter, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A method of rank one and the method that it approximates; one tensor per layer."""

    gradients: list[Tensor]  # G, as this pair sees a layer
    projected: list[Tensor]  # D: the gradient without what the rank-one term takes out, times the damping for Eva
    exact: list[Tensor]
    curvatures: list[Tensor]  # the one eigenvalue that is not 0: |a|^2 |b|^2, |a|^2, or |v_0|^2 |v_1|^2 ..., 0-d


@dataclass(frozen=True, slots=True, kw_only=True)
class Methods:
    """The optimizers of one view on one model, whose hooks wait for a batch."""

    eva: Eva
    kfac: KFAC
    eva_f: EvaF
    foof: FOOF


def attach(model: nn.Module, view: ViewSettings, weight_sharing: WeightSharing) -> Methods:
    """Return the optimizers of a view; both passes of the batch come next."""
    shared: dict[str, Any] = {
        "momentum": 0.0,
        "clip": "none",
        "damping": view.damping,
        "statistics_batch": view.statistics_batch,
    }
    summed: OutputGradient = "batch_mean" if view.output_gradient == "batch_mean" else "per_example"
    return Methods(
        eva=Eva(model, output_gradient=view.output_gradient, **shared),
        kfac=KFAC(model, output_gradient=summed, weight_sharing=weight_sharing, **shared),
        eva_f=EvaF(model, **shared),
        foof=FOOF(model, weight_sharing=weight_sharing, factorisation="cholesky", **shared),
    )


def pair_both_sides(methods: Methods, layers: Sequence[Layer], gradients: Gradients, damping: float) -> Pair:
    """Return Eva and K-FAC."""
    directions = _step(methods.eva, layers, gradients)
    states = [methods.eva.state[layer.weight] for layer in layers]
    return Pair(
        gradients=[_matrix(layer, gradients) for layer in layers],
        projected=[damping * direction for direction in directions],
        exact=_step(methods.kfac, layers, gradients),
        curvatures=[
            (_input_squares(layer, state["a"]) * _by_group(layer, state["b"]).square().sum(-1)).sum()
            for layer, state in zip(layers, states, strict=True)
        ],
    )


def pair_input_side(methods: Methods, layers: Sequence[Layer], gradients: Gradients) -> Pair:
    """Return Eva-f, which leaves 1 / damping out, and FOOF."""
    return Pair(
        gradients=[_matrix(layer, gradients) for layer in layers],
        projected=_step(methods.eva_f, layers, gradients),
        exact=_step(methods.foof, layers, gradients),
        curvatures=[_input_squares(layer, methods.eva_f.state[layer.weight]["a"]).sum() for layer in layers],
    )


def pair_gradient_means(
    layers: Sequence[Layer], gradients: Gradients, shampoo: Sequence[Tensor], damping: float
) -> Pair:
    """Return Eva-s and Shampoo, of the weights without their biases."""
    weights = [gradients[layer.weight] for layer in layers]
    projected = [gradient.clone() for gradient in weights]
    found = [project_axes_(each, each.new_zeros(sum(each.shape)), damping=damping, beta2=1.0) for each in projected]
    return Pair(
        gradients=weights,
        projected=projected,
        exact=list(shampoo),
        curvatures=[projection.curvature for projection in found],
    )


def shampoo_directions(model: nn.Module, layers: Sequence[Layer], gradients: Gradients) -> list[Tensor]:
    """Return Shampoo's direction of each layer's weight, with the length of its gradient; its default settings."""
    _step(Shampoo(model, momentum=0.0), layers, gradients)
    return [_gradient_of(layer.weight).clone() for layer in layers]


def with_gradient_lengths(pair: Pair) -> list[Tensor]:
    """Return the projected gradients, each with the length of its gradient, as Eva-s steps; 0 stays 0."""
    return [
        torch.nn.functional.normalize(projected.reshape(-1), dim=0, eps=torch.finfo(projected.dtype).tiny).view_as(
            gradient
        )
        * torch.linalg.vector_norm(gradient)
        for projected, gradient in zip(pair.projected, pair.gradients, strict=True)
    ]


def _step(method: Method, layers: Sequence[Layer], gradients: Gradients) -> list[Tensor]:
    """Return the direction of every layer. The parameters move, which the gradients at hand do not notice."""
    with method.accumulating():
        for parameter, gradient in gradients.items():
            parameter.grad = gradient.clone()
        method.step()
    return [layer.gradient().clone() for layer in layers]


def _matrix(layer: Layer, gradients: Gradients) -> Tensor:
    for parameter in layer.parameters:
        parameter.grad = gradients[parameter].clone()
    return layer.gradient()


def _gradient_of(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _by_group(layer: Layer, vector: Tensor) -> Tensor:
    return vector.view(layer.num_groups, -1)


def _input_squares(layer: Layer, inputs: Tensor) -> Tensor:
    """Return [groups]: |a|^2 with the 1 of a bias."""
    return _by_group(layer, inputs).square().sum(-1) + (0.0 if layer.bias is None else 1.0)
