"""Factors that are too large: by a setting, or for the memory that is there."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psutil
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor

from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.tensors import statistic_type
from evabench.units import format_bytes

LARGEST_SHARE = 0.5  # of the free memory; a factor needs room for its inverse besides


class Factor(NamedTuple):
    """A square matrix of numbers that an optimizer is going to keep."""

    layer: str
    weight: nn.Parameter
    length: int
    num_groups: int = 1  # of equal ones, as of a convolution with groups

    @property
    def num_bytes(self) -> int:
        """What it takes in memory."""
        return self.num_groups * self.length**2 * statistic_type(self.weight).itemsize


def factors_of(layer: Layer, *, both_sides: bool) -> list[Factor]:
    """Return A of a layer, and B."""
    d_in = layer.num_inputs // layer.num_groups + (layer.bias is not None)
    lengths = (d_in, layer.d_out // layer.num_groups) if both_sides else (d_in,)
    return [Factor(layer.name, layer.weight, length, layer.num_groups) for length in lengths]


def check_memory(factors: Iterable[Factor], optimizer: str, ways_out: str) -> None:
    """Raise `ValueError` for a factor that would take more than half of the free memory, or all that take all of it."""
    by_device: dict[torch.device, list[Factor]] = {}
    for factor in factors:
        by_device.setdefault(factor.weight.device, []).append(factor)
    for alike in by_device.values():
        largest = max(alike, key=lambda factor: factor.num_bytes)
        words = lacks_room(largest)
        if words is not None:
            raise ValueError(f"{optimizer}: {words}. {ways_out}")
        free, total = _free_memory(largest.weight), sum(factor.num_bytes for factor in alike)
        if free is not None and total > free:
            raise ValueError(
                f"{optimizer}: {len(alike)} factors would take {format_bytes(total)}, more than the "
                f"{format_bytes(free)} that are free; the longest, of {largest.layer}, has the length "
                f"{largest.length}. {ways_out}"
            )


def lacks_room(factor: Factor) -> str | None:
    """Return that a factor would take more than half of the free memory of its device, or None."""
    free = _free_memory(factor.weight)
    if free is None or factor.num_bytes <= LARGEST_SHARE * free:
        return None
    return (
        f"a factor of {factor.layer} has the length {factor.length} and would take {format_bytes(factor.num_bytes)}, "
        f"more than half of the {format_bytes(free)} that are free"
    )


def check_window(parameters: Sequence[nn.Parameter], num_gradients: int) -> None:
    """Raise `ValueError` for a window of gradients that would take more than the free memory of a device."""
    by_device: dict[torch.device, list[nn.Parameter]] = {}
    for parameter in parameters:
        by_device.setdefault(parameter.device, []).append(parameter)
    for alike in by_device.values():
        free = _free_memory(alike[0])
        total = num_gradients * sum(each.numel() * statistic_type(each).itemsize for each in alike)
        if free is not None and total > free:
            raise ValueError(
                f"M-FAC: the window of {num_gradients} gradients would take {format_bytes(total)}, more than the "
                f"{format_bytes(free)} that are free. Set num_gradients, or use Eva, which keeps vectors only."
            )


def _free_memory(parameter: nn.Parameter) -> int | None:
    if isinstance(parameter, FakeTensor) or isinstance(parameter.data, FakeTensor):
        return None
    device = parameter.device
    match device.type:
        case "cpu":
            return int(psutil.virtual_memory().available)
        case "cuda":
            return int(torch.cuda.mem_get_info(device)[0])
        case _:
            return None
