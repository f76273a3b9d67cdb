"""How a weight is cut up for Shampoo: which axes get factors, and in how many blocks.

Neighbouring axes of a kernel may be merged into one, and an axis longer than a block is cut into equal parts. Each
block has a factor [d, d] for each of its axes, of length d; all factors of a weight lie in one flat tensor.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Partition:
    """The axes of a weight after merging, and the places of its blocks."""

    shape: tuple[int, ...]
    blocks: tuple[tuple[slice, ...], ...]
    axes: tuple[int, ...]  # those that have factors: no block is too long there

    @property
    def num_factors(self) -> int:
        """How many factors a block has."""
        return len(self.axes)

    @property
    def num_factor_elements(self) -> int:
        """How many numbers all factors have together."""
        return sum(d * d for d in self.factor_sizes())

    def factor_sizes(self) -> Iterator[int]:
        """Yield the length of every axis with a factor, block by block, in the order of the flat tensor."""
        for block in self.blocks:
            for axis in self.axes:
                yield block[axis].stop - block[axis].start

    def factors(self, flat: Tensor) -> list[list[Tensor]]:
        """Return views of a flat tensor: for each block a factor for each axis that has one."""
        sizes = list(self.factor_sizes())
        parts = torch.split(flat, [d * d for d in sizes])
        views = [part.view(d, d) for part, d in zip(parts, sizes, strict=True)]
        return [views[start : start + self.num_factors] for start in range(0, len(views), self.num_factors)]


def partition(
    shape: tuple[int, ...], *, merge_up_to: int, block_size: int | None, max_axis: int | None = None
) -> Partition:
    """Return the blocks of a weight of this shape; an axis that is longer than `max_axis` in a block has no factor."""
    merged = merge_axes(shape, merge_up_to)
    cuts = [_cut(length, block_size or length) for length in merged]
    longest = [max(part.stop - part.start for part in parts) for parts in cuts]
    axes = tuple(axis for axis, length in enumerate(longest) if max_axis is None or length <= max_axis)
    return Partition(merged, tuple(product(*cuts)), axes)


def merge_axes(shape: tuple[int, ...], up_to: int) -> tuple[int, ...]:
    """Return the lengths after merging, from the last axis on, neighbours whose product is at most `up_to`.

    The first axis stays by itself, and a matrix stays a matrix: merged into a vector it would get the curvature of
    full-matrix Adagrad instead of Shampoo's. Axes of length 1 always merge, so that they do not count in the exponent.
    """
    first, *rest = shape
    merged = [rest.pop()]
    while rest:
        length = rest.pop()
        if merged[0] * length <= up_to or 1 in (merged[0], length):
            merged[0] *= length
        else:
            merged.insert(0, length)
    return (first, *merged)


def _cut(length: int, block_size: int) -> list[slice]:
    """Return the fewest parts of at most `block_size`, whose lengths differ by 1 at most."""
    num_parts = math.ceil(length / block_size)
    ends = [length * part // num_parts for part in range(num_parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]
