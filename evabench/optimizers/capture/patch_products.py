"""The sum of p p^T over the patches p of a convolution, from products of lines instead of im2col.

Legend: a line X_q [d_1, positions] is what place q of the first axis of space holds, unfolded along the other axis
only, d_1 = c * k_w; i and j are offsets of the kernel along the first axis. Block (i, j) of the sum,

    A_ij = sum_t X_(i + s t) X_(j + s t)^T    (stride s, dilation 1, no padding),

adds products of lines that are j - i apart, and (i + s, j + s) adds the same ones, but at the borders. Of the k^2
products of a kernel with k offsets that leaves about k, of lines that take k_w times the input, not k * k_w times.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from evabench.optimizers.capture.patches import AxisGeometry, Convolution, axis_geometry, pad_space
from evabench.optimizers.outer_products import sum_outer_products

AT_ONCE = 2**21  # numbers of lines: what stays in a cache takes up to a third less time on a CPU


class Stretch(NamedTuple):
    """Neighbouring lines q = remainder + stride * m, start <= m < stop, whose products the same blocks add."""

    remainder: int
    start: int
    stop: int
    distance: int  # j - i
    offsets: tuple[int, ...]  # the i of the blocks


def add_patch_products_(out: Tensor, x: Tensor, convolution: Convolution) -> None:
    """Add the sum of p p^T over the patches of x [n, c, *space] to `out`, [d_in, d_in] or [groups, d_in, d_in]."""
    geometry, size, first_axis = axis_geometry(convolution, 0), x.shape[2], 1
    if convolution.padding_mode != "zeros":  # lines of zeros are left out, others are lines like all
        geometry, size, first_axis = geometry._replace(before=0, after=0), size + geometry.before + geometry.after, 0
    stretches = find_stretches(geometry, size)
    shape = (x.shape[1] // convolution.groups, geometry.kernel, prod(convolution.kernel_size[1:]))  # c, k, k_w
    blocks = out.view(*out.shape[:-2], *shape, *shape)
    for samples in torch.split(x, max(1, AT_ONCE // (x[0].numel() * shape[-1]))):
        _add_samples_(blocks, pad_space(samples, convolution, first_axis), convolution, stretches)


def find_stretches(geometry: AxisGeometry, size: int) -> list[Stretch]:
    """Return the products of lines, of which there are `size`, that make up all blocks (i, j) with j >= i."""
    kernel, stride, dilation, before, _ = geometry
    num_positions = geometry.num_positions(size)
    stretches = []
    for distance in range(kernel):
        met: dict[int, dict[int, range]] = {}  # remainder -> offset -> the lines that it meets
        for i in range(kernel - distance):
            first, remainder = divmod(i * dilation - before, stride)
            # The last line that has a partner.
            last = (size - 1 - distance * dilation - remainder) // stride
            met.setdefault(remainder, {})[i] = range(max(first, 0), min(first + num_positions, last + 1))
        for remainder, spans in met.items():
            borders = sorted({border for span in spans.values() if span for border in (span.start, span.stop)})
            for start, stop in pairwise(borders):
                offsets = tuple(i for i, span in spans.items() if start in span)
                if offsets:
                    stretches.append(Stretch(remainder, start, stop, distance, offsets))
    return stretches


def _add_samples_(blocks: Tensor, x: Tensor, convolution: Convolution, stretches: Sequence[Stretch]) -> None:
    stride = convolution.stride[0]
    remainders = {each.remainder for each in stretches}
    lines = {each: _unfold(x[:, :, each::stride], convolution) for each in remainders}
    for stretch in stretches:
        _add_stretch_(blocks, lines, stretch, convolution)


def _add_stretch_(blocks: Tensor, lines: dict[int, Tensor], stretch: Stretch, convolution: Convolution) -> None:
    remainder, start, stop, distance, offsets = stretch
    left = lines[remainder][..., start:stop, :].flatten(-2)
    if distance == 0:
        product = sum_outer_products(left.mT)
    else:
        shift, other = divmod(remainder + distance * convolution.dilation[0], convolution.stride[0])
        product = left @ lines[other][..., start + shift : stop + shift, :].flatten(-2).mT
    for i in offsets:
        _add_block_(blocks, i, i + distance, product)
        if distance:
            _add_block_(blocks, i + distance, i, product.mT)


def _unfold(lines: Tensor, convolution: Convolution) -> Tensor:
    """Return [d_1, lines, n * positions], or [groups, d_1, lines, n * positions], of [n, c, lines, ...]."""
    num_axes = lines.dim() - 2
    for axis in range(1, num_axes):
        kernel, stride, dilation, _, _ = axis_geometry(convolution, axis)
        lines = lines.unfold(2 + axis, dilation * (kernel - 1) + 1, stride)[..., ::dilation]
    # [n, c, lines, *positions, *kernel] -> [c, *kernel, lines, n, *positions]
    positions, offsets = range(3, 2 + num_axes), range(2 + num_axes, 1 + 2 * num_axes)
    lines = lines.permute(1, *offsets, 2, 0, *positions).flatten(1 + num_axes).flatten(0, num_axes - 1)
    return lines if convolution.groups == 1 else lines.view(convolution.groups, -1, *lines.shape[1:])


def _add_block_(blocks: Tensor, i: int, j: int, product: Tensor) -> None:
    block = blocks[..., i, :, :, j, :]
    block.add_(product.view(block.shape))
