"""A curvature of rank one from the means of the gradient along its axes, inverted by Sherman-Morrison.

Legend: G [d_0, ..., d_k] gradient of a weight; v_i [d_i] running mean of G over all axes but i, and v all of them in
one vector of d_0 + ... + d_k numbers; u = v_1 o ... o v_k, the outer product of all but the first; q = |v_0|^2 |u|^2;
c the share of v_0 o u that the curvature takes out of G.
"""

import math
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from evabench.optimizers.tensors import as_matrix


class AxisProjection(NamedTuple):
    """What a step needs of a weight besides its projected gradient."""

    means: Tensor  # v after the update
    c: Tensor  # <G, v_0 o u> / (damping + q), 0-d
    curvature: Tensor  # q, 0-d


def project_axes_(
    G: Tensor, means: Tensor, *, damping: float, beta2: float, divisor: Tensor | None = None
) -> AxisProjection:
    """Update the means with G, then subtract c v_0 o u from it in place.

        v_i <- beta2 v_i + w mean of G over the other axes,  w = 1 for plain sums (beta2 = 1), else 1 - beta2
        P = G - <G, v_0 o u> / (damping + q) v_0 o u

    For a matrix that is damping * (v_0 v_0^T (x) v_1 v_1^T + damping I)^-1 vec(G). `means` is not modified. `divisor`
    is what G still carries from a scaled loss: the means are freed of it, P is not.
    Reads G twice and writes it once; no temporary of its size.
    Source: arXiv:2308.02123 and the authors' code ("vShampoo"). A matrix of zeros stays as it is.
    """
    matrix, axes = as_matrix(G)
    d_0, d_rest = matrix.shape
    weight = 1.0 if beta2 == 1 else 1 - beta2
    kept = torch.split(beta2 * means, list(G.shape))

    def updated(axis: int, mean: Tensor) -> Tensor:
        mean = mean * weight
        return kept[axis] + (mean if divisor is None else mean / divisor)

    over_first = torch.mv(matrix.T, matrix.new_full((d_0,), 1 / d_0)).view([G.shape[axis] for axis in axes])
    vectors = [updated(axis, _mean_over_others(over_first, i)) for i, axis in enumerate(axes)]
    u = reduce(lambda left, right: torch.outer(left, right).view(-1), vectors)
    # One pass over G for both products: the mean over the rest, and G u.
    products = matrix @ torch.stack((torch.full_like(u, 1 / d_rest), u)).T
    v_0 = updated(0, products[:, 0])
    curvature = v_0.dot(v_0) * u.dot(u)
    c = v_0.dot(products[:, 1]) / (damping + curvature)
    matrix.addmm_((c * v_0).unsqueeze(1), u.unsqueeze(0), alpha=-1)
    by_axis = dict(zip(axes, vectors, strict=True)) | {0: v_0}
    return AxisProjection(torch.cat([by_axis[axis] for axis in range(G.dim())]), c, curvature)


def gradient_length(P_length: Tensor, projection: AxisProjection, damping: float) -> Tensor:
    """Return |G| from |P|, as a sum of positive terms that cannot cancel:  |G|^2 = |P|^2 + (2 damping + q) c^2."""
    along = projection.c.abs() * (2 * damping + projection.curvature).sqrt()
    return torch.hypot(P_length, along.to(P_length.dtype))


def _mean_over_others(values: Tensor, axis: int) -> Tensor:
    others = [other for other in range(values.dim()) if other != axis]
    return values.sum(others) / math.prod(values.shape[other] for other in others) if others else values
