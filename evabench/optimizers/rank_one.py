"""Curvature of rank one, inverted by Sherman-Morrison: Eva's of both sides, Eva-f's of the input side.

Legend: G [d_out, d_in] gradient of the weight; g [d_out] gradient of the bias, or None; a [d_in] mean input;
b [d_out] mean output gradient; D damping times the preconditioned gradient; c what the curvature takes out of G. The
matrices of a convolution with groups are stacked: G [groups, d_out, d_in], a [groups, d_in], b [groups, d_out].
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Projection(NamedTuple):
    """What the length of D needs of a layer; tensors with one number a group."""

    c_square: Tensor  # c^2, or |c|^2 of the input side
    curvature: Tensor  # the only eigenvalue of the curvature that is not zero


def solve_both_sides(G: Tensor, a: Tensor, b: Tensor, damping: float) -> Tensor:
    """Return (bb^T (x) aa^T + damping * I)^-1 vec(G), as a [d_out, d_in] matrix.

    Sherman-Morrison avoids the [d_out*d_in, d_out*d_in] inverse:

        X = (G - (b^T G a) / (damping + |a|^2 |b|^2) * b a^T) / damping

    Costs one [d_out, d_in] output and O(d_out * d_in) time.
    Source: Zhang, Shi & Li, Eva, arXiv:2308.02123. Differs from the authors' code: no `.item()`.
    """
    D = G.clone()
    project_both_sides_(D, None, a, b, damping)
    return D.div_(damping)


def solve_input_side(G: Tensor, a: Tensor, damping: float) -> Tensor:
    """Return damping * G (aa^T + damping * I)^-1, as a [d_out, d_in] matrix: G - (G a) a^T / (damping + |a|^2).

    Source: the authors' Eva-f, which leaves the factor 1/damping out.
    """
    D = G.clone()
    project_input_side_(D, None, a, damping)
    return D


def project_both_sides_(G: Tensor, g: Tensor | None, a: Tensor, b: Tensor, damping: float) -> Projection:
    """Turn the gradient into D = G - c b a^T with c = b^T G a / (damping + |a|^2 |b|^2), in place.

    A bias is a last column of G and a trailing 1 of a; both are taken apart here, which spares copying G:

        b^T [G g] [a 1] = b^T (G a + g)        |[a 1]|^2 = |a|^2 + 1
    """
    Ga, input_square = _multiply(G, g, a)
    curvature = input_square * _dot(b, b)
    c = _dot(b, Ga) / (damping + curvature)
    _subtract_(G, g, c.unsqueeze(-1) * b, a)
    return Projection(c.square(), curvature)


def project_input_side_(G: Tensor, g: Tensor | None, a: Tensor, damping: float) -> Projection:
    """Turn the gradient into D = G - c a^T with c = G a / (damping + |a|^2), in place; a bias as for both sides."""
    Ga, curvature = _multiply(G, g, a)
    c = Ga / (damping + curvature).unsqueeze(-1)
    _subtract_(G, g, c, a)
    return Projection(_dot(c, c), curvature)


def _multiply(G: Tensor, g: Tensor | None, a: Tensor) -> tuple[Tensor, Tensor]:
    """Return [G g] [a 1] and |[a 1]|^2."""
    a_square = _dot(a, a)
    if g is None:
        return torch.matmul(G, a.unsqueeze(-1)).squeeze(-1), a_square
    if G.dim() == 2:
        return torch.addmv(g, G, a), a_square + 1
    return torch.matmul(G, a.unsqueeze(-1)).squeeze(-1) + g.view(G.shape[:-1]), a_square + 1


def _subtract_(G: Tensor, g: Tensor | None, column: Tensor, row: Tensor) -> None:
    """Subtract column [row 1]^T from [G g] without a buffer of its size, which `addr_` would make on CUDA."""
    G.addcmul_(column.unsqueeze(-1), row.unsqueeze(-2), value=-1)
    if g is not None:
        g.sub_(column.view(g.shape))


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return torch.dot(x, y) if x.dim() == 1 else (x * y).sum(-1)
