"""G (F + damping * I)^-1 for a symmetric factor F, from its Cholesky factor or its eigendecomposition.

Legend: F [d, d], or [groups, d, d] with one damping each; L lower triangular, L L^T = F + damping * I; w, Q eigenvalues
and eigenvectors of F; G [m, d].

A Cholesky factorisation and its solves stay on the device: `cholesky_ex` reports a failure in a tensor, where
`cholesky` would make the host wait. An eigendecomposition waits.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from evabench.optimizers.outer_products import diagonal, is_positive, mean_eigenvalue

SHIFTS = (1.0, 1e2, 1e4)  # added to the diagonal of F / m(F) attempt by attempt, in units of the rounding error
# An inverse costs 2/3 d^3 multiply-adds at a refresh; solving in its place, some 30 % of d^2 * m at every step that
# follows. Measured on a CPU with d = 250 to 4609: solves win where (steps per refresh) * m is below this many times d.
SOLVES_PAY_BELOW = 2.0


class DampedCholesky(NamedTuple):
    """The Cholesky factor, and whether it is that of the diagonal alone: [] or [groups], boolean."""

    L: Tensor
    escalated: Tensor


class DampedEigen(NamedTuple):
    """Eigenvalues [..., d], not below 0, and eigenvectors; of the diagonal alone where every attempt `failed`."""

    w: Tensor
    Q: Tensor
    num_failed_attempts: int
    failed: bool


def damped_cholesky(F: Tensor, damping: Tensor, L: Tensor | None = None) -> DampedCholesky:
    """Factorise F + damping * I, in the memory of an earlier L where there is one.

    The damping has a floor, the rounding error of the largest possible eigenvalue: a factor of low rank would not
    factorise without one. What does not factorise even so is not positive semi-definite: then F counts by its diagonal
    alone, which needs no second factorisation to lie ready. Costs d^3 / 3 multiply-adds.
    """
    trace = diagonal(F).sum(-1)
    shift = torch.maximum(damping, torch.finfo(F.dtype).eps * trace).unsqueeze(-1)
    if L is None:
        L = torch.empty_like(F.mT, memory_format=torch.contiguous_format).mT  # column by column, as LAPACK wants it
    L.copy_(F)
    diagonal(L).add_(shift)
    info = torch.empty(F.shape[:-2], dtype=torch.int32, device=F.device)
    torch.linalg.cholesky_ex(L, out=(L, info))
    escalated = info > 0
    L.masked_fill_(escalated.view(*escalated.shape, 1, 1), 0.0)
    roots = (diagonal(F).clamp(min=0.0) + shift).sqrt()
    diagonal(L).copy_(torch.where(escalated.unsqueeze(-1), roots, diagonal(L)))
    return DampedCholesky(L, escalated)


def prefers_solves(d: int, other: int, refresh_every: int) -> bool:
    """Return whether solving with L at every step is cheaper than an inverse at every refresh."""
    return refresh_every * other <= SOLVES_PAY_BELOW * d


def solve_right(G: Tensor, L: Tensor) -> Tensor:
    """Return G (L L^T)^-1.

    From the right, since BLAS takes a G in rows that way without a copy, and as fast as a product with the inverse.
    """
    half: Tensor = torch.linalg.solve_triangular(L.mT, G, upper=True, left=False)
    solved: Tensor = torch.linalg.solve_triangular(L, half, upper=False, left=False)
    return solved


def damped_eigen(F: Tensor) -> DampedEigen:
    """Return the eigendecomposition of F, in ascending order; the host waits for the device.

    Rows of zeros, which dead units leave, make LAPACK's float32 routine fail or return NaN in a few of a hundred
    factors; a rounding error on the diagonal cures it, more is tried if it does not. Costs about 9 d^3 multiply-adds.
    """
    mean = mean_eigenvalue(F)
    m = torch.where(is_positive(mean), mean, 1.0).unsqueeze(-1)
    for num_failed, shift in enumerate(SHIFTS):
        scaled = F / m.unsqueeze(-1)
        diagonal(scaled).add_(shift * torch.finfo(F.dtype).eps)
        try:
            w, Q = torch.linalg.eigh(scaled)
        except LinAlgError:
            continue
        if w.isfinite().all() and Q.isfinite().all():  # a host read, in a step that waits anyway
            return DampedEigen((w * m).clamp(min=0.0), Q, num_failed, False)
    w = diagonal(F).clamp(min=0.0)
    Q = torch.zeros_like(F)
    diagonal(Q).fill_(1.0)
    return DampedEigen(w, Q, len(SHIFTS), True)


def inverse_from(eigen: DampedEigen, damping: Tensor) -> Tensor:
    """Return (F + damping * I)^-1 = Q 1 / (w + damping) Q^T; the damping has the floor of `damped_cholesky`."""
    floor = torch.finfo(eigen.w.dtype).eps * eigen.w.sum(-1)
    shifted = eigen.w + torch.maximum(damping, floor).unsqueeze(-1)
    return (eigen.Q / shifted.unsqueeze(-2)) @ eigen.Q.mT
