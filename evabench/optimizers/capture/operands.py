"""Which parameter an operand of a product is: itself, its transpose, a copy in another type, or a part of it.

Autograd's graph tells: an operand leads to its parameter through nodes of views and copies alone, or is computed.
"""

from collections.abc import Set
from typing import Any, NamedTuple

from torch import Tensor, nn

COPIES: Set[str] = {"ToCopyBackward0", "CloneBackward0", "AliasBackward0"}
SWAPS: Set[str] = {"TBackward0", "TransposeBackward0", "PermuteBackward0"}  # of the two axes of a matrix
# What is left then is a part of a parameter, or all of it in another shape.
VIEWS: Set[str] = {
    "AsStridedBackward0",
    "ExpandBackward0",
    "IndexBackward0",
    "IndexSelectBackward0",
    "SelectBackward0",
    "SliceBackward0",
    "SplitBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
    "UnbindBackward0",
    "UnsafeViewBackward0",
    "UnsqueezeBackward0",
    "ViewBackward0",
    "ReshapeAliasBackward0",
}


class Operand(NamedTuple):
    """A parameter, and how an operand shows it."""

    parameter: nn.Parameter
    is_transposed: bool = False
    is_whole: bool = True  # all of it, in its own shape or transposed


def find_operand(values: object) -> Operand | None:
    """Return the parameter that values are, or that they show without computing anything; None: they are others."""
    if isinstance(values, nn.Parameter):
        return Operand(values)
    if not isinstance(values, Tensor):
        return None
    node: Any = values.grad_fn
    is_transposed, is_whole = False, True
    while node is not None:
        parameter = getattr(node, "variable", None)  # where autograd's graph ends
        if parameter is not None:
            return Operand(parameter, is_transposed, is_whole) if isinstance(parameter, nn.Parameter) else None
        name = node.name()
        if name in SWAPS and values.dim() == 2 and is_whole:
            is_transposed ^= _swaps(node)
        elif name in SWAPS or name in VIEWS:
            is_whole = False
        elif name not in COPIES:
            return None
        node = node.next_functions[0][0]
    return None


def _swaps(node: Any) -> bool:
    """Return whether a node exchanges the two axes of a matrix; negative axes come as large numbers, alike modulo 2."""
    if node.name() == "TBackward0":
        return True
    if node.name() == "TransposeBackward0":
        return bool((node._saved_dim0 - node._saved_dim1) % 2)
    return bool(node._saved_dims[0] % 2)
