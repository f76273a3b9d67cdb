"""The patches that a convolution multiplies by: summed without being formed, or as rows.

Legend: x [n, c, *space] inputs; a patch is what lies under the kernel at one position of the output, d_in = c *
prod(kernel_size) numbers per group in the order of a kernel's own axes.
"""

from functools import reduce
from math import prod
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.partial import Partial, Summed, finished, left_or_finished
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


MOST_COUNTS = 2**16  # of a kernel over all axes of space: they stay in a core's own cache


def _num_counts(counts: tuple[Tensor, ...]) -> int:
    """Return how many numbers are kept; a function of the module, so that an optimizer can be pickled."""
    return sum(each.numel() for each in counts)


class PatchSums:
    """Sums of all patches of a batch, from sums of windows: linear in the input, nothing of the size of im2col.

    The sum over samples comes first, a [c, *space] map. Element (c, i, j) of the summed patch then adds every place of
    channel c that offset (i, j) of the kernel visits: R_h x_c R_w^T with the counts R_h [k_h, H] and R_w [k_w, W],
    which stride, dilation and padding of any mode only fill in other ways. Where space is small they are one matrix,
    (R_h (x) R_w)^T [H W, k_h k_w], and one product.
    """

    def __init__(self, sum_rows: "SumOfRows | None" = None) -> None:
        self._counts = RecentlyUsed(_num_counts)  # the same few for all steps, where lengths do not vary
        self._sum_rows = sum_rows or SumOfRows()

    def __call__(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Return [c * prod(kernel_size)], group after group."""
        return finished(self.begin(x, convolution))

    def begin(self, x: Tensor, convolution: Convolution) -> Summed:
        """Return the same, of small maps half done."""
        summed = sum_samples(x, self._sum_rows)
        counts = self._find(summed, convolution)
        if len(counts) == 1:
            return left_or_finished(Partial(summed.flatten(1), counts[0]), x.numel())
        for each in counts:  # contracts the first axis of space and appends one of the kernel
            summed = torch.tensordot(summed, each, dims=([1], [0]))
        return summed.reshape(-1)

    def _find(self, summed: Tensor, convolution: Convolution) -> tuple[Tensor, ...]:
        """Return the counts, [places, offsets]: those of all axes as one, or axis by axis."""
        space, like = summed.shape[1:], summed.new_zeros
        padding = convolution.padding if isinstance(convolution.padding, str) else tuple(convolution.padding)
        kernel = tuple(convolution.kernel_size)
        geometry = (kernel, tuple(convolution.stride), padding, tuple(convolution.dilation), convolution.padding_mode)

        def make() -> tuple[Tensor, ...]:
            by_axis = [count_visits(convolution, axis, size, like(())).t() for axis, size in enumerate(space)]
            return (reduce(_of_both_axes, by_axis),) if prod(space) * prod(kernel) <= MOST_COUNTS else tuple(by_axis)

        return self._counts.find((*geometry, space, summed.dtype, summed.device), make)


def _of_both_axes(one: Tensor, other: Tensor) -> Tensor:
    """Return the counts of two axes as one: their Kronecker product, for which torch's wants other strides."""
    return (one[:, None, :, None] * other[None, :, None, :]).reshape(len(one) * len(other), -1)


def sum_samples(x: Tensor, sum_rows: "SumOfRows") -> Tensor:
    """Return the sum over the first axis in at least single precision, in the memory order of a sample."""
    if x.is_contiguous():
        return sum_rows(x.flatten(1)).view(x.shape[1:])
    axes = in_memory_order(x)
    summed = sum_rows(x.permute(0, *axes).flatten(1))
    back = [axes.index(axis) for axis in range(1, x.dim())]
    return summed.view([x.shape[axis] for axis in axes]).permute(back)


@final
class SumOfRows:
    """The sum over the rows of [rows, d] in at least single precision."""

    def __init__(self) -> None:
        self._ones = RecentlyUsed[Tensor](Tensor.numel)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return [d]."""
        num_rows, dtype = rows.shape[0], rows.dtype
        if rows.is_cpu and (dtype is torch.float32 or dtype is torch.float64):
            # Up to three times as fast as `sum(0)`; on a GPU it is two launches in the place of one.
            return torch.mv(rows.t(), self._ones.find((num_rows, dtype), lambda: rows.new_ones(num_rows)))
        return rows.sum(0, dtype=torch.promote_types(dtype, torch.float32))


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
