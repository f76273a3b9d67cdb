"""The patches that a convolution multiplies by: summed without being formed, or as rows.

Legend: x [n, c, *space] inputs; a patch is what lies under the kernel at one position of the output, d_in = c *
prod(kernel_size) numbers per group in the order of a kernel's own axes.
"""

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.recently_used import RecentlyUsed
from evabench.optimizers.layers.layers import ConvolutionGeometry
from evabench.optimizers.tensors import in_memory_order

Convolution = nn.Conv1d | nn.Conv2d | ConvolutionGeometry


class AxisGeometry(NamedTuple):
    """How a kernel moves along one axis of space."""

    kernel: int
    stride: int
    dilation: int
    before: int  # padding
    after: int

    def num_positions(self, size: int) -> int:
        """Return the size of the output along the axis."""
        return (size + self.before + self.after - self.dilation * (self.kernel - 1) - 1) // self.stride + 1


class PatchSums:
    """Sums of all patches of a batch, from sums of windows: linear in the input, nothing of the size of im2col.

    The sum over samples comes first, a [c, *space] map. Element (c, i, j) of the summed patch then adds every place of
    channel c that offset (i, j) of the kernel visits: R_h x_c R_w^T with the counts R_h [k_h, H] and R_w [k_w, W],
    which stride, dilation and padding of any mode only fill in other ways.
    """

    def __init__(self) -> None:
        self._counts = RecentlyUsed[Tensor](Tensor.numel)  # the same few for all steps, where lengths do not vary

    def __call__(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Return [c * prod(kernel_size)], group after group."""
        summed = sum_samples(x)
        for axis in range(summed.dim() - 1):
            counts = self._counts_of(summed, convolution, axis)
            # Contracts the first axis of space and appends one of the kernel.
            summed = torch.tensordot(summed, counts, dims=([1], [1]))
        return summed.reshape(-1)

    def _counts_of(self, summed: Tensor, convolution: Convolution, axis: int) -> Tensor:
        size = summed.shape[1]
        key = (axis_geometry(convolution, axis), convolution.padding_mode, size, summed.dtype, summed.device)
        return self._counts.find(key, lambda: count_visits(convolution, axis, size, summed.new_zeros(())))


def sum_samples(x: Tensor) -> Tensor:
    """Return the sum over the first axis in at least single precision, in the memory order of a sample."""
    axes = in_memory_order(x)
    summed = sum_first_axis(x.permute(0, *axes).flatten(1))
    back = [axes.index(axis) for axis in range(1, x.dim())]
    return summed.view([x.shape[axis] for axis in axes]).permute(back)


def sum_first_axis(rows: Tensor) -> Tensor:
    """Return the sum over the rows of [rows, d] in at least single precision."""
    if rows.device.type == "cpu" and rows.dtype in (torch.float32, torch.float64):
        # Up to three times as fast as `sum(0)`; on a GPU it is two launches in the place of one.
        return torch.mv(rows.t(), rows.new_ones(rows.shape[0]))
    return rows.sum(0, dtype=torch.promote_types(rows.dtype, torch.float32))


def count_visits(convolution: Convolution, axis: int, size: int, like: Tensor) -> Tensor:
    """Return [k, size]: how often offset i of the kernel meets place h, over all positions of the output."""
    geometry = axis_geometry(convolution, axis)
    kernel, stride, dilation, before, after = geometry
    places = torch.arange(1, size + 1, dtype=torch.float64, device=like.device)  # 0 is for what padding adds
    sources = _pad(places.view(1, 1, -1), [before, after], convolution.padding_mode).view(-1).long()
    stop = stride * (geometry.num_positions(size) - 1) + 1
    met = torch.stack([sources[start : start + stop : stride] for start in range(0, kernel * dilation, dilation)])
    counts = like.new_zeros(kernel, size + 1).scatter_add_(1, met, like.new_ones(met.shape))
    return like.new_empty(kernel, size).copy_(counts[:, 1:])  # a row of its own length, which `contiguous` may not make


def patch_rows(x: Tensor, convolution: Convolution) -> Tensor:
    """Return every patch as a row: [n * positions, d_in], or [groups, n * positions, d_in].

    Costs prod(kernel_size) times the input, in memory as in time.
    """
    num_axes = x.dim() - 2
    patches = pad_space(x, convolution)
    for axis in range(num_axes):
        kernel, stride, dilation, _, _ = axis_geometry(convolution, axis)
        patches = patches.unfold(2 + axis, dilation * (kernel - 1) + 1, stride)[..., ::dilation]
    # [n, c, *positions, *kernel] -> [n, *positions, c, *kernel]
    patches = patches.movedim(1, 1 + num_axes).flatten(0, num_axes).flatten(1)
    if convolution.groups == 1:
        return patches
    return patches.view(patches.shape[0], convolution.groups, -1).transpose(0, 1)


def num_patches(x: Tensor, convolution: Convolution) -> int:
    """Return the number of patches of a batch: samples times positions of the output."""
    sizes = [axis_geometry(convolution, axis).num_positions(size) for axis, size in enumerate(x.shape[2:])]
    return len(x) * prod(sizes)


def pad_space(x: Tensor, convolution: Convolution, first_axis: int = 0) -> Tensor:
    """Return x as the convolution pads it, from an axis of space on."""
    geometries = [axis_geometry(convolution, axis) for axis in range(first_axis, x.dim() - 2)]
    padding = [width for *_, before, after in reversed(geometries) for width in (before, after)]
    return _pad(x, padding, convolution.padding_mode) if any(padding) else x


def _pad(x: Tensor, padding: list[int], mode: str) -> Tensor:
    return nn.functional.pad(x, padding, mode="constant" if mode == "zeros" else mode)


def axis_geometry(convolution: Convolution, axis: int) -> AxisGeometry:
    """Return the geometry along one axis of space."""
    kernel, dilation = convolution.kernel_size[axis], convolution.dilation[axis]
    match convolution.padding:
        case "same":
            total = dilation * (kernel - 1)
            before, after = total // 2, total - total // 2
        case "valid":
            before = after = 0
        case widths:
            before = after = int(widths[axis])
    return AxisGeometry(kernel, convolution.stride[axis], dilation, before, after)
