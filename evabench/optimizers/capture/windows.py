"""The mean patch of every sample of a convolution, from sums of windows instead of im2col.

Along one axis the offsets of a kernel visit most places alike: those inside are met by every offset, those near a
border by some. Places that are met alike are summed first, by strided slices, which reads the input once; what remains
is a few numbers a channel, and a small matrix that counts the meetings. Stride, dilation and every padding mode only
make other counts.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from evabench.optimizers.capture.patches import AxisGeometry, Convolution, axis_geometry


class AxisVisits(NamedTuple):
    """The places of one axis in slices that every offset of the kernel meets alike."""

    slices: tuple[slice, ...]
    counts: tuple[tuple[int, ...], ...]  # [slices, k]: how often offset i meets each place of a slice
    num_positions: int  # of the output


@final
class PatchMeans:
    """Means over the positions of the patches, sample by sample."""

    def __init__(self) -> None:
        self._weights: dict[tuple[object, ...], tuple[list[AxisVisits], Tensor]] = {}  # the same few for all steps

    def __call__(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Return [n, d_in], or [groups, n, d_in], of inputs [n, c, *space]."""
        visits, weights = self._find(x, convolution)
        for axis, each in enumerate(visits, start=2):  # the slow axis first: its sums run along the fast one
            x = torch.stack([_sum_slice(x, axis, where) for where in each.slices], dim=axis)
        means = x.flatten(2) @ weights
        if convolution.groups == 1:
            return means.flatten(1)
        return means.view(x.shape[0], convolution.groups, -1).transpose(0, 1)

    def _find(self, x: Tensor, convolution: Convolution) -> tuple[list[AxisVisits], Tensor]:
        space = x.shape[2:]
        geometry = [axis_geometry(convolution, axis) for axis in range(len(space))]
        key = (tuple(geometry), convolution.padding_mode, space, x.dtype, x.device)
        if key not in self._weights:
            mode = convolution.padding_mode
            visits = [visit_axis(each, mode, size) for each, size in zip(geometry, space, strict=True)]
            weights = x.new_ones(1, 1)
            for each in visits:
                weights = torch.kron(weights, x.new_tensor(each.counts) / each.num_positions)
            self._weights[key] = visits, weights
        return self._weights[key]


def visit_axis(geometry: AxisGeometry, mode: str, size: int) -> AxisVisits:
    """Return which places of an axis of `size` the offsets of a kernel meet, over all positions of the output."""
    kernel, stride, dilation, before, _ = geometry
    num_positions = geometry.num_positions(size)
    meetings = [[0] * kernel for _ in range(size)]
    for position in range(num_positions):
        for offset in range(kernel):
            place = _source(position * stride + offset * dilation - before, mode, size)
            if place is not None:
                meetings[place][offset] += 1
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, counts in enumerate(meetings):
        if any(counts):
            alike.setdefault(tuple(counts), []).append(place)
    found = [(each, counts) for counts, places in alike.items() for each in _as_slices(places)]
    return AxisVisits(tuple(each for each, _ in found), tuple(counts for _, counts in found), num_positions)


def _source(place: int, mode: str, size: int) -> int | None:
    """Return the place whose value stands at a place of the padded axis, None for a zero."""
    if 0 <= place < size:
        return place
    match mode:
        case "circular":
            return place % size
        case "reflect":
            return -place if place < 0 else 2 * (size - 1) - place
        case "replicate":
            return 0 if place < 0 else size - 1
        case _:
            return None


def _as_slices(places: list[int]) -> list[slice]:
    """Return ascending places as slices, as few as a greedy search finds."""
    slices: list[slice] = []
    start = 0
    while start < len(places):
        step = places[start + 1] - places[start] if start + 1 < len(places) else 1
        stop = start + 1
        while stop < len(places) and places[stop] == places[start] + (stop - start) * step:
            stop += 1
        slices.append(slice(places[start], places[stop - 1] + 1, step))
        start = stop
    return slices


def _sum_slice(x: Tensor, axis: int, where: slice) -> Tensor:
    index = (slice(None),) * axis + (where,)
    return x[index].sum(axis)
