"""How much of a Kronecker factor lies where Eva looks, and how alike two directions are: pure mathematics.

Legend: F [d, d] the mean of r r^T over rows r, m [d] the mean of r. Of a convolution with groups F is [groups, d, d]
and m [groups, d]: numerators and denominators are summed over the groups.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

# A mean whose square is this small beside tr F is rounding in float64: its direction says nothing.
_NO_MEAN = 1e-20


class Shares(NamedTuple):
    """0-d tensors; NaN where there is none."""

    mean: Tensor  # |m|^2 / tr F
    along: Tensor  # m^T F m / (|m|^2 tr F)
    top: Tensor  # largest eigenvalue / tr F


def trace_shares(factor: Tensor, mean: Tensor) -> Shares:
    """Return how much of tr F the mean's outer product, the mean's direction, and the best direction hold.

        |m|^2 <= m^T F m / |m|^2 <= largest eigenvalue <= tr F

    The first because F - m m^T is a covariance. Costs the eigenvalues of F, about 4/3 d^3.
    """
    trace = factor.diagonal(dim1=-2, dim2=-1).sum()
    nan = torch.full_like(trace, torch.nan)
    if not (trace.isfinite() and trace > 0):
        return Shares(nan, nan, nan)
    square = mean.square().sum(-1)
    unit = mean / torch.linalg.vector_norm(mean, dim=-1, keepdim=True)  # first: the products of tiny means underflow
    along = torch.einsum("...i,...ij,...j->...", unit, factor, unit)
    has_direction = (square > _NO_MEAN * trace).all()
    return Shares(
        square.sum() / trace,
        torch.where(has_direction, along.sum() / trace, nan),
        torch.linalg.eigvalsh(factor)[..., -1].sum() / trace,
    )


def cosine(left: Tensor, right: Tensor) -> Tensor:
    """Return <x, y> / (|x| |y|), a 0-d tensor; NaN where one of them is 0."""
    left, right = left.reshape(-1), right.reshape(-1)
    units = (each / torch.linalg.vector_norm(each) for each in (left, right))
    return torch.dot(*units).clamp(-1.0, 1.0)


def changed_share(projected: Tensor, gradient: Tensor) -> Tensor:
    """Return |D - G| / |G|: what a rank-one term takes out of the gradient; NaN where the gradient is 0."""
    share: Tensor = torch.linalg.vector_norm(projected - gradient) / torch.linalg.vector_norm(gradient)
    return share


def known(value: Tensor) -> float | None:
    """Return a 0-d tensor to six digits, None where it is not finite."""
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None
