"""The projections of `rank_one` for many small layers at once.

A small layer costs its operators more than its arithmetic. Here a layer takes one or two of its own, and everything
else is one call for all layers: of numbers stacked in a vector, or of the `_foreach_` functions of torch. On a CPU it
is not for large layers: the second pass over a gradient comes after all first ones, when a large one has left the
cache. On a GPU it is for layers of any size: on an H100 the autoencoder waits for launches, not for arithmetic.

Legend: as in `rank_one`, in lists, a layer each; without groups. q [layers] the only eigenvalues of the curvatures that
are not zero. The layers with a bias come first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from evabench.optimizers.layers.layers import Layer

MAX_SIZE = 2**16  # numbers of a weight: 256 KiB in single precision, of which several fit into a core's own cache

Tensors = Sequence[Tensor]


class Projections(NamedTuple):
    """What a clip needs of many layers, in vectors; as `Projection` of one."""

    D_squares: Tensor
    c_squares: Tensor
    q: Tensor

    def curved(self) -> Tensor:
        """Return c^2 times the eigenvalue of the curvature, which few clips ask for."""
        return self.c_squares * self.q


def goes_together(layer: Layer) -> bool:
    """Return whether a layer is projected with others: without groups, in full precision, and small or not on a CPU."""
    fits = layer.weight.numel() <= MAX_SIZE or layer.weight.device.type != "cpu"
    return fits and layer.num_groups == 1 and layer.weight.dtype.itemsize >= 4


def project_all_both_sides_(Gs: Tensors, gs: Tensors, rows: Tensors, bs: Tensors, damping: float) -> Projections:
    """Do what `project_both_sides_` does, for every layer; `gs` are the biases, of the first layers alone.

    Returns vectors of all layers in the place of numbers.
    """
    Gas = _multiply(Gs, gs, rows)
    a_squares, b_squares = _squares([*rows, *bs]).tensor_split([len(rows)])
    q = _with_ones_(a_squares, len(gs)) * b_squares
    c = torch.stack([torch.dot(b, Ga) for b, Ga in zip(bs, Gas, strict=True)]) / (damping + q)
    columns = torch._foreach_mul(list(bs), list(c.unbind()))
    _subtract_(Gs, gs, columns, rows)
    return Projections(_sum_by_layer_(_squares([*Gs, *gs]), len(Gs)), c * c, q)


def project_all_input_sides_(Gs: Tensors, gs: Tensors, rows: Tensors, damping: float) -> Projections:
    """Do what `project_input_side_` does, for every layer, as above."""
    Gas = _multiply(Gs, gs, rows)
    q = _with_ones_(_squares(rows), len(gs))
    columns = torch._foreach_div(Gas, list((damping + q).unbind()))
    _subtract_(Gs, gs, columns, rows)
    c_squares, D_squares = _squares([*columns, *Gs, *gs]).tensor_split([len(Gs)])
    return Projections(_sum_by_layer_(D_squares, len(Gs)), c_squares, q)


def _multiply(Gs: Tensors, gs: Tensors, rows: Tensors) -> list[Tensor]:
    """Return [G g] [a 1] of every layer."""
    with_bias = [torch.addmv(g, G, a) for G, g, a in zip(Gs, gs, rows, strict=False)]
    return [*with_bias, *(torch.mv(G, a) for G, a in zip(Gs[len(gs) :], rows[len(gs) :], strict=True))]


def _squares(vectors: Tensors) -> Tensor:
    """Return |v|^2 of every tensor, as a vector."""
    return torch.stack(torch._foreach_norm(list(vectors))).square_()


def _with_ones_(a_squares: Tensor, num_biases: int) -> Tensor:
    """Return |[a 1]|^2 of the layers with a bias, the first ones, and |a|^2 of the others."""
    if num_biases:
        a_squares[:num_biases].add_(1)
    return a_squares


def _subtract_(Gs: Tensors, gs: Tensors, columns: Tensors, rows: Tensors) -> None:
    """Subtract column [row 1]^T from [G g] of every layer."""
    torch._foreach_addcmul_(list(Gs), [x.unsqueeze(1) for x in columns], [x.unsqueeze(0) for x in rows], value=-1)
    if gs:
        torch._foreach_sub_(list(gs), list(columns[: len(gs)]))


def _sum_by_layer_(squares: Tensor, num_layers: int) -> Tensor:
    """Return the squares of weights, and of the biases behind them, as one of each layer."""
    weights, biases = squares.tensor_split([num_layers])
    if len(biases):
        weights[: len(biases)].add_(biases)
    return weights
