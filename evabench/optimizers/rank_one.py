"""Eva's curvature of rank one, inverted by Sherman-Morrison.

Legend: G [d_out, d_in] gradient of the weight; g [d_out] gradient of the bias, or None; a [d_in] mean input;
b [d_out] mean output gradient; c the share of b a^T that the curvature takes out of G.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Projection(NamedTuple):
    """What Sherman-Morrison needs of a layer; two 0-d tensors."""

    c: Tensor  # b^T G a / (damping + |a|^2 |b|^2)
    curvature: Tensor  # |a|^2 |b|^2: the only eigenvalue of bb^T (x) aa^T that is not zero


def project(G: Tensor, g: Tensor | None, a: Tensor, b: Tensor, damping: float) -> Projection:
    """Return how much of the gradient lies along b a^T.

    A bias is a last column of G and a trailing 1 of a; both are taken apart here, which spares copying G:

        b^T [G g] [a 1] = b^T (G a + g)        |[a 1]|^2 = |a|^2 + 1
    """
    product = torch.mv(G, a) if g is None else torch.addmv(g, G, a)
    input_square = a.dot(a) if g is None else a.dot(a) + 1
    curvature = input_square * b.dot(b)
    return Projection(b.dot(product) / (damping + curvature), curvature)


def solve_both_sides(G: Tensor, a: Tensor, b: Tensor, damping: float) -> Tensor:
    """Return (bb^T (x) aa^T + damping * I)^-1 vec(G), as a [d_out, d_in] matrix.

    Sherman-Morrison avoids the [d_out*d_in, d_out*d_in] inverse:

        X = (G - (b^T G a) / (damping + |a|^2 |b|^2) * b a^T) / damping

    Costs one [d_out, d_in] output and O(d_out * d_in) time.
    Source: Zhang, Shi & Li, Eva, arXiv:2308.02123. Differs from the authors' code: no `.item()`.
    """
    c = project(G, None, a, b, damping).c
    return torch.addr(G, c * b, a, alpha=-1).div_(damping)


def subtract_projection_(G: Tensor, g: Tensor | None, a: Tensor, b: Tensor, c: Tensor) -> None:
    """Subtract c * b a^T from the gradient in place: damping times the solution of `solve_both_sides`."""
    cb = c * b
    # A product with one inner dimension needs no [d_out, d_in] buffer; `addr_` would form b a^T on CUDA.
    G.addmm_(cb.unsqueeze(1), a.unsqueeze(0), alpha=-1)
    if g is not None:
        g.sub_(cb)


def sum_rows(rows: Tensor) -> Tensor:
    """Return the sum over the rows of [rows, d], as [d]."""
    return rows.sum(0)
