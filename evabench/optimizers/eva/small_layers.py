"""The projections of `rank_one` for many small layers at once.

A small layer costs its operators more than its arithmetic. Here a layer takes one or two of its own, and everything
else is one call for all layers: of numbers stacked in a vector, or of the `_foreach_` functions of torch. On a CPU it
is not for large layers: the second pass over a gradient comes after all first ones, when a large one has left the
cache. On a GPU it is for layers of any size: on an H100 the autoencoder waits for launches, not for arithmetic.

Legend: as in `rank_one`, in lists, a layer each; without groups. q [layers] the eigenvalues of the curvatures.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from evabench.optimizers.eva.rank_one import Projection
from evabench.optimizers.layers.layers import Layer

MAX_SIZE = 2**16  # numbers of a weight: 256 KiB in single precision, of which several fit into a core's own cache

Tensors = Sequence[Tensor]


def goes_together(layer: Layer) -> bool:
    """Return whether a layer is projected with others: without groups, in full precision, and small or not on a CPU."""
    fits = layer.weight.numel() <= MAX_SIZE or layer.weight.device.type != "cpu"
    return fits and layer.num_groups == 1 and layer.weight.dtype.itemsize >= 4


def project_all_both_sides_(Gs: Tensors, gs: Tensors, rows: Tensors, bs: Tensors, damping: float) -> Projection:
    """Do what `project_both_sides_` does, for every layer; `gs` is empty where the layers have no bias.

    Returns vectors of all layers in the place of numbers.
    """
    Gas = _multiply(Gs, gs, rows)
    q = _squares(rows, with_one=bool(gs)) * _squares(bs)
    c = torch.stack([torch.dot(b, Ga) for b, Ga in zip(bs, Gas, strict=True)]) / (damping + q)
    D_squares = _subtract_(Gs, gs, torch._foreach_mul(list(bs), list(c.unbind())), rows)
    return _projection(D_squares, c * c, q)


def project_all_input_sides_(Gs: Tensors, gs: Tensors, rows: Tensors, damping: float) -> Projection:
    """Do what `project_input_side_` does, for every layer, as above."""
    Gas = _multiply(Gs, gs, rows)
    q = _squares(rows, with_one=bool(gs))
    cs = torch._foreach_div(list(Gas), list((damping + q).unbind()))
    D_squares = _subtract_(Gs, gs, cs, rows)
    return _projection(D_squares, _squares(cs), q)


def _multiply(Gs: Tensors, gs: Tensors, rows: Tensors) -> list[Tensor]:
    """Return [G g] [a 1] of every layer."""
    if not gs:
        return [torch.mv(G, a) for G, a in zip(Gs, rows, strict=True)]
    return [torch.addmv(g, G, a) for G, g, a in zip(Gs, gs, rows, strict=True)]


def _squares(vectors: Tensors, *, with_one: bool = False) -> Tensor:
    """Return |v|^2 of every tensor, or |[v 1]|^2, as a vector."""
    squares = torch.stack(torch._foreach_norm(list(vectors))).square()
    return squares + 1 if with_one else squares


def _subtract_(Gs: Tensors, gs: Tensors, columns: Tensors, rows: Tensors) -> Tensor:
    """Subtract column [row 1]^T from [G g] of every layer; return the squares of what is left."""
    torch._foreach_addcmul_(list(Gs), [x.unsqueeze(1) for x in columns], [x.unsqueeze(0) for x in rows], value=-1)
    if not gs:
        return _squares(Gs)
    torch._foreach_sub_(list(gs), list(columns))
    return _squares(Gs) + _squares(gs)


def _projection(D_squares: Tensor, c_squares: Tensor, q: Tensor) -> Projection:
    return Projection(D_squares, c_squares, c_squares * q)
