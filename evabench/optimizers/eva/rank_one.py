"""Curvature of rank one, inverted by Sherman-Morrison: Eva's of both sides, Eva-f's of the input side.

Legend: G [d_out, d_in] gradient of the weight; g [d_out] gradient of the bias, or None; a [d_in] mean input;
b [d_out] mean output gradient; D damping times the preconditioned gradient; c what the curvature takes out of G. The
matrices of a convolution with groups are stacked: G [groups, d_out, d_in], a [groups, d_in], b [groups, d_out].
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Projection(NamedTuple):
    """What a clip needs of a layer; 0-d tensors, summed over the groups of a convolution."""

    D_square: Tensor  # |D|^2: taken while D is in the cache
    c_square: Tensor  # c^2, or |c|^2 of the input side
    curved: Tensor  # the same, times the only eigenvalue of the curvature that is not zero


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
    Ga = _multiply(G, g, a)
    curvature = _input_square(g, a, _dot(b, b))
    c = _dot(b, Ga) / (damping + curvature)
    D_square = _subtract_(G, g, c * b if c.dim() == 0 else c.unsqueeze(-1) * b, a)
    return _projection(D_square, c * c, curvature)


def project_input_side_(G: Tensor, g: Tensor | None, a: Tensor, damping: float) -> Projection:
    """Turn the gradient into D = G - c a^T with c = G a / (damping + |a|^2), in place; a bias as for both sides."""
    Ga = _multiply(G, g, a)
    curvature = _input_square(g, a, a.new_ones(()))
    shrink = damping + curvature
    c = Ga / (shrink if shrink.dim() == 0 else shrink.unsqueeze(-1))
    D_square = _subtract_(G, g, c, a)
    return _projection(D_square, _dot(c, c), curvature)


def _multiply(G: Tensor, g: Tensor | None, a: Tensor) -> Tensor:
    """Return [G g] [a 1]."""
    if G.dim() == 2:
        return torch.mv(G, a) if g is None else torch.addmv(g, G, a)
    Ga = torch.matmul(G, a.unsqueeze(-1)).squeeze(-1)
    return Ga if g is None else Ga + g.view(Ga.shape)


def _input_square(g: Tensor | None, a: Tensor, factor: Tensor) -> Tensor:
    """Return |[a 1]|^2 times a factor."""
    a_square = _dot(a, a)
    return a_square * factor if g is None else torch.addcmul(factor, a_square, factor)


def _subtract_(G: Tensor, g: Tensor | None, column: Tensor, row: Tensor) -> Tensor:
    """Subtract column [row 1]^T from [G g] without a buffer of its size; return the square of what is left."""
    G.addcmul_(column.unsqueeze(-1), row.unsqueeze(-2), value=-1)  # `addr_` would make the buffer on CUDA
    square = _square(G)
    if g is None:
        return square
    g.sub_(column if column.dim() == 1 else column.view(g.shape))
    return square + torch.dot(g, g)


def _square(G: Tensor) -> Tensor:
    if G.is_contiguous():
        flat = G.view(-1)
        return torch.dot(flat, flat)  # a quarter faster than the norm on a CPU
    norm: Tensor = torch.linalg.vector_norm(G)
    return norm.square()


def _projection(D_square: Tensor, c_square: Tensor, curvature: Tensor) -> Projection:
    curved = c_square * curvature
    if curved.dim() == 0:
        return Projection(D_square, c_square, curved)
    return Projection(D_square, c_square.sum(), curved.sum())


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return torch.dot(x, y) if x.dim() == 1 else (x * y).sum(-1)
