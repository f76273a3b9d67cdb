"""The mean patch of every sample of a convolution, from sums of windows instead of im2col.

Along one axis the offsets of a kernel visit most places alike: those inside are met by every offset, those near a
border by some. Places that are met alike are summed first, by strided slices, which reads the input once; what remains
is a few numbers per channel, and a small matrix that counts the meetings. Stride, dilation and every padding mode only
make other counts.
"""

from typing import Any, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from evabench.optimizers.capture.patches import AxisGeometry, Convolution, axis_geometry
from evabench.optimizers.capture.recently_used import RecentlyUsed

Places = np.ndarray[Any, np.dtype[Any]]


class AxisVisits(NamedTuple):
    """The places of one axis in slices that every offset of the kernel meets alike."""

    slices: tuple[slice, ...]
    counts: tuple[tuple[int, ...], ...]  # [slices, k]: how often offset i meets each place of a slice
    num_positions: int  # of the output


def _num_weights(found: tuple[list[AxisVisits], Tensor]) -> int:
    """Return how many numbers are kept; a function of the module, so that an optimizer can be pickled."""
    return found[1].numel()


@final
class PatchMeans:
    """Means over the positions of the patches, sample by sample."""

    def __init__(self) -> None:
        self._weights = RecentlyUsed(_num_weights)

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

        def make() -> tuple[list[AxisVisits], Tensor]:
            mode = convolution.padding_mode
            visits = [visit_axis(each, mode, size) for each, size in zip(geometry, space, strict=True)]
            weights = x.new_ones(1, 1)
            for each in visits:
                weights = torch.kron(weights, x.new_tensor(each.counts) / each.num_positions)
            return visits, weights

        return self._weights.find(key, make)


def visit_axis(geometry: AxisGeometry, mode: str, size: int) -> AxisVisits:
    """Return which places of an axis of `size` the offsets of a kernel meet, over all positions of the output."""
    kernel, stride, dilation, before, _ = geometry
    num_positions = geometry.num_positions(size)
    meetings = np.zeros((size, kernel), dtype=np.int64)
    for offset in range(kernel):
        places = np.arange(num_positions) * stride + offset * dilation - before
        sources, is_met = _sources(places, mode, size)
        np.add.at(meetings[:, offset], sources[is_met], 1)
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, counts in enumerate(meetings.tolist()):
        if any(counts):
            alike.setdefault(tuple(counts), []).append(place)
    found = [(each, counts) for counts, places in alike.items() for each in _as_slices(places)]
    return AxisVisits(tuple(each for each, _ in found), tuple(counts for _, counts in found), num_positions)


def _sources(places: Places, mode: str, size: int) -> tuple[Places, Places]:
    """Return the places whose values stand at places of the padded axis, and which of these are no zeros."""
    all_of_them = np.ones_like(places, dtype=bool)
    match mode:
        case "circular":
            return places % size, all_of_them
        case "reflect":
            mirrored = np.abs(places)
            return np.where(mirrored < size, mirrored, 2 * (size - 1) - mirrored), all_of_them
        case "replicate":
            return places.clip(0, size - 1), all_of_them
        case _:
            return places, (places >= 0) & (places < size)


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
