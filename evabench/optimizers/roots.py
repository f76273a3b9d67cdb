"""Inverse roots of symmetric matrices, by eigendecomposition.

Legend: F [d, d] symmetric factor, positive semi-definite; m its mean eigenvalue; w, Q eigenvalues and eigenvectors.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from evabench.optimizers.kronecker import is_positive, mean_eigenvalue

SHIFTS = (1.0, 1e2, 1e4)  # added to the diagonal of F / m attempt by attempt, in units of the rounding error


class InverseRoot(NamedTuple):
    """The root, or None where every attempt failed, and how many attempts failed."""

    root: Tensor | None
    num_failed_attempts: int


def inverse_root(F: Tensor, order: int, epsilon: float) -> InverseRoot:
    """Return F^(-1/order) = Q w^(-1/order) Q^T, with the eigenvalues not below `epsilon` times the largest.

    The floor is relative, because gradients of a mean-squared error are so small that an absolute one would replace all
    of F. The root of zero is the identity. Rows of zeros, which dead units leave, make LAPACK's float32 routine fail or
    return NaN in a few of a hundred factors; a rounding error on the diagonal cures it, more is tried if it does not.
    Costs about 9 d^3 multiply-adds, and the host waits for the device.
    """
    mean = mean_eigenvalue(F)
    known = is_positive(mean)
    m = torch.where(known, mean, 1.0)
    for num_failed, shift in enumerate(SHIFTS):
        scaled = F / m
        scaled.diagonal().add_(shift * torch.finfo(F.dtype).eps)
        try:
            w, Q = torch.linalg.eigh(scaled)
        except LinAlgError:
            continue
        powers = torch.maximum(w, epsilon * w[-1]).mul_(m).pow_(-1 / order)
        root = (Q * torch.where(known, powers, 1.0)) @ Q.T
        if root.isfinite().all():  # a host read, in a step that waits anyway
            return InverseRoot(root, num_failed)
    return InverseRoot(None, len(SHIFTS))
