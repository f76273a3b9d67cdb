"""Shampoo's curvature: a factor for each axis of a gradient, and its root applied along that axis.

Legend: G [d_0, ..., d_k] gradient; G_i [d_i, rest] the same with axis i first and all others as columns; F_i [d_i, d_i]
sum of G_i G_i^T over the steps.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from evabench.optimizers.outer_products import sum_outer_products


def accumulate_(
    factors: Sequence[Tensor], axes: Sequence[int], G: Tensor, *, beta2: float, decay: Tensor | None
) -> None:
    """Add G to the factors that there are:  F_i <- beta2 F_i + w G_i G_i^T,  w = 1 for plain sums, else 1 - beta2.

    `decay` is beta2 as a 0-d tensor, or 1 in a step that is skipped and whose G is zero; None for plain sums.
    """
    for axis, F in zip(axes, factors, strict=True):
        rows = G.movedim(axis, -1).reshape(-1, G.shape[axis])
        product = sum_outer_products(rows)
        if decay is None:
            F.add_(product)
        else:
            F.mul_(decay).add_(product, alpha=1 - beta2)


def apply_roots(roots: Sequence[Tensor], axes: Sequence[int], G: Tensor) -> Tensor:
    """Return G multiplied by a symmetric root along each axis that has one; for a matrix: L_root G R_root."""
    by_axis = dict(zip(axes, roots, strict=True))
    if G.dim() == 2:
        P = by_axis[0] @ G if 0 in by_axis else G
        return P @ by_axis[1] if 1 in by_axis else P
    P = G
    for axis in range(G.dim()):  # each comes last in turn: after all of them the order is the first
        root = by_axis.get(axis)
        P = P.movedim(0, -1) if root is None else torch.tensordot(P, root, dims=([0], [0]))
    return P
