"""The curvature of the last m gradients of the whole model, inverted through their inner products.

Legend: G [m, d] the window, one gradient of all d parameters per row, zeros before the first m; g = G^T e_j the newest,
in row j; K [m, m] = G G^T; F = damping I + 1/m sum of g g^T = damping I + G^T G / m, which is [d, d] and never formed.
"""

from typing import NamedTuple

import torch
from torch import Tensor

ESCALATION = 100.0  # how much more damping the second attempt has


class Coefficients(NamedTuple):
    """The weights of the gradients in the direction, whether they took more damping, or failed: 0-d booleans."""

    values: Tensor
    escalated: Tensor
    failed: Tensor


def solve_newest(K: Tensor, newest: Tensor, damping: float, rounding: float) -> Coefficients:
    """Return s [m] with F^-1 g = G^T s, where g is the row `newest` (a 0-d integer) of the window.

    By Woodbury, and because g is itself in the window:

        F^-1 G^T e_j = G^T (damping I + K / m)^-1 e_j

    It needs no difference of large numbers. `rounding` is the relative error of the inner products in K: it may make
    the damped matrix indefinite, and the second attempt has at least that much damping. Both always run, because to
    choose one the host would have to wait.
    Source: Frantar, Kurtic & Alistarh, M-FAC, arXiv:2107.03356. Differs from their dynamic algorithm: K is solved anew
    in m^3 / 3 multiply-adds, nothing beside the products with G, instead of updating coefficients in m^2.
    """
    num_gradients = len(K)
    scaled = K / num_gradients
    one = torch.nn.functional.one_hot(newest, num_gradients).to(K.dtype).unsqueeze(1)
    trace = scaled.diagonal().sum()
    identity = torch.eye(num_gradients, dtype=K.dtype, device=K.device)
    first, info = torch.linalg.cholesky_ex(scaled + damping * identity)
    more = ESCALATION * (damping + rounding * trace)
    second, info_of_second = torch.linalg.cholesky_ex(scaled + more * identity)
    escalated = info > 0
    s = torch.cholesky_solve(one, torch.where(escalated, second, first)).squeeze(1)
    return Coefficients(s, escalated, escalated & (info_of_second > 0))


def replace_row_(rows: Tensor, index: Tensor, new: Tensor, keep: Tensor) -> Tensor:
    """Write a row of [m, n] in place and return it; where `keep` is true it stays what it was. `index` is 0-d."""
    at = index.view(1)
    row = torch.where(keep, rows.index_select(0, at).squeeze(0), new)
    rows.index_copy_(0, at, row.unsqueeze(0))
    return row


def replace_inner_products_(K: Tensor, index: Tensor, products: Tensor, keep: Tensor) -> None:
    """Write the inner products with the row `index` to a row and a column of K, or keep them."""
    row = replace_row_(K, index, products, keep)
    K.index_copy_(1, index.view(1), row.unsqueeze(1))
