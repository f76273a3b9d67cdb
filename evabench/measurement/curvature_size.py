"""How large the curvature of a layer is beside the damping that is added to it.

Legend: a, b the Kronecker vectors of Eva, A, B the factors of K-FAC, v_i the means of Eva-s; gamma the damping.

Read by what a state holds, so that runs of one optimizer do not rest on the code of another.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from evabench.optimizers.layers.layers import Layer, Preconditioned
from evabench.optimizers.shell.preconditioner import Preconditioner


def curvature_sizes(optimizer: Preconditioner[Any]) -> dict[str, float]:
    """Return the curvature over the damping by layer; without those that have no statistics, or no such number.

        Eva |a|^2 |b|^2 / gamma    Eva-f |a|^2 / gamma    Eva-s |v_0|^2 |v_1|^2 ... / gamma
        K-FAC m(A) m(B) / gamma    FOOF m(A) / gamma      m: the mean eigenvalue

    a and A have the 1 of a bias. Of a convolution with groups it is the largest of them. 0 where vectors are off.
    """
    group_of = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    sizes: dict[str, float] = {}
    for layer in optimizer.layers:
        group = group_of[layer.weight]
        curvature = _curvature(layer, optimizer.state.get(layer.weight, {}))
        if curvature is not None:
            sizes[layer.name] = 0.0 if group.get("vectors") == "off" else float(curvature) / _damping(group, curvature)
    return sizes


def _damping(group: Mapping[str, Any], curvature: Tensor) -> float:
    """Return gamma; a relative one is a share of the mean eigenvalue itself."""
    damping = float(group["damping"])
    return damping * float(curvature) if group.get("damping_scale") == "relative" else damping


def _curvature(layer: Preconditioned, state: Mapping[str, Any]) -> Tensor | None:
    """Return a 0-d tensor; None where the state has no statistics of these kinds."""
    if "v" in state:
        means = torch.split(state["v"].double(), list(layer.weight.shape))
        return torch.stack([each.square().sum() for each in means]).prod()
    if not isinstance(layer, Layer):
        return None
    if "a" in state:
        inputs = _squares(layer, state["a"]) + (0.0 if layer.bias is None else 1.0)
        return (inputs * _squares(layer, state["b"]) if "b" in state else inputs).max()
    if "A" in state:
        inputs = _mean_eigenvalue(state["A"])
        return (inputs * _mean_eigenvalue(state["B"]) if "B" in state else inputs).max()
    return None


def _squares(layer: Layer, vector: Tensor) -> Tensor:
    """Return [groups]."""
    return vector.double().view(layer.num_groups, -1).square().sum(-1)


def _mean_eigenvalue(factor: Tensor) -> Tensor:
    """Return [groups], or a 0-d tensor."""
    return factor.double().diagonal(dim1=-2, dim2=-1).mean(-1)
