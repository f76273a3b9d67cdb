"""Inverse roots of symmetric matrices, by eigendecomposition or by coupled Newton iterations.

Legend: F [n, d, d] symmetric factors, positive semi-definite; m mean eigenvalue of each; w, Q eigenvalues and
eigenvectors; p the order of the root; X its iterate, M = X^p F its residual, which goes to the identity.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from evabench.optimizers.outer_products import is_positive
from evabench.settings.choices import RootMethod

SHIFTS = (1.0, 1e2, 1e4)  # added to the diagonal of F / m attempt by attempt, in units of the rounding error
LARGEST_RESIDUAL = 0.05  # of a Newton root: |M - I| beyond it is a failure
QUADRATIC_ITERATIONS = 8  # of Newton's, once the smallest eigenvalue of M is of order 1


class InverseRoots(NamedTuple):
    """The roots [n, d, d], undefined where `failed` [n] is true, and how many attempts failed on the way."""

    roots: Tensor
    failed: Tensor
    num_failed_attempts: int


def inverse_roots(F: Tensor, order: int, epsilon: float, method: RootMethod) -> InverseRoots:
    """Return F^(-1/order) of every matrix of a batch."""
    return eigh_roots(F, order, epsilon) if method == "eigh" else newton_roots(F, order, epsilon)


def eigh_roots(F: Tensor, order: int, epsilon: float) -> InverseRoots:
    """Return F^(-1/order) = Q w^(-1/order) Q^T, with the eigenvalues not below `epsilon` times the largest.

    The floor is relative, because gradients of a mean-squared error are so small that an absolute one would replace all
    of F. The root of zero is the identity. Rows of zeros, which dead units leave, make LAPACK's float32 routine fail or
    return NaN in a few of a hundred factors; a rounding error on the diagonal cures it, more is tried if it does not.
    A batch with a matrix that fails is decomposed again one by one. The host waits for the device.
    Costs about 5 d^3 multiply-adds per matrix.
    """
    mean = F.diagonal(dim1=-2, dim2=-1).mean(-1).view(-1, 1, 1)
    known = is_positive(mean)
    m = torch.where(known, mean, 1.0)
    num_failed_attempts = 0  # those of a whole batch do not count: it is tried again, matrix by matrix
    for shift in SHIFTS if len(F) == 1 else SHIFTS[:1]:
        scaled = F / m
        scaled.diagonal(dim1=-2, dim2=-1).add_(shift * torch.finfo(F.dtype).eps)
        try:
            w, Q = torch.linalg.eigh(scaled)
        except LinAlgError:
            num_failed_attempts += 1
            continue
        w = w.unsqueeze(-2)
        powers = torch.maximum(w, epsilon * w[..., -1:]).mul_(m).pow_(-1 / order)
        roots = (Q * torch.where(known, powers, 1.0)) @ Q.mT
        if roots.isfinite().all():  # a host read, in a step that waits anyway
            return InverseRoots(roots, mean.new_zeros(len(F), dtype=torch.bool), num_failed_attempts)
        num_failed_attempts += 1
    if len(F) == 1:
        return InverseRoots(F, mean.new_ones(1, dtype=torch.bool), num_failed_attempts)
    alone = [eigh_roots(each.unsqueeze(0), order, epsilon) for each in F]
    return InverseRoots(
        torch.cat([each.roots for each in alone]),
        torch.cat([each.failed for each in alone]),
        sum(each.num_failed_attempts for each in alone),
    )


def newton_roots(F: Tensor, order: int, epsilon: float) -> InverseRoots:
    """Return (F + epsilon |F| I)^(-1/order), |F| the Frobenius norm, by coupled Newton iterations.

        T = ((p + 1) I - M) / p,   X <- X T,   M <- T^p M,   from  M = z F, X = z^(1/p) I, z = (1 + p) / (2 |F|)

    p is the order. Products of matrices alone, and the host never waits: the number of iterations follows from epsilon,
    and the best iterate is kept. A root whose residual stays large has failed. The root of zero is the identity.
    Source: Guo & Higham (2006), equation 7.18 of Higham's "Functions of Matrices" (2008). Differs from the public
    Shampoo codes: no test of convergence on the host. Costs 3 to 5 d^3 per iteration.
    """
    size = torch.linalg.matrix_norm(F).view(-1, 1, 1)
    known = is_positive(size)
    norm = torch.where(known, size, 1.0)
    identity = torch.eye(F.shape[-1], dtype=F.dtype, device=F.device)
    z = (1 + order) / 2
    M = z * (F / norm + epsilon * identity)  # its eigenvalues are below p + 1, as they must
    X = z ** (1 / order) * identity.expand_as(F)
    best, residual = X, (M - identity).abs().amax((-2, -1), keepdim=True)
    for _ in range(num_newton_iterations(order, epsilon)):
        T = ((order + 1) * identity - M) / order
        X = X @ T
        M = torch.linalg.matrix_power(T, order) @ M
        error = (M - identity).abs().amax((-2, -1), keepdim=True)
        better = error < residual  # false for NaN
        best, residual = torch.where(better, X, best), torch.where(better, error, residual)
    roots = torch.where(known, best * norm ** (-1 / order), identity)
    failed = (known & ~(residual < LARGEST_RESIDUAL)) | ~size.isfinite()
    return InverseRoots(roots, failed.view(-1), 0)


def num_newton_iterations(order: int, epsilon: float) -> int:
    """Return how many iterations bring the smallest eigenvalue, at least epsilon, to 1.

    While it is small, each multiplies it by ((p + 1) / p)^p.
    """
    growth = order * math.log((order + 1) / order)
    return math.ceil(math.log(1 / epsilon) / growth) + QUADRATIC_ITERATIONS
