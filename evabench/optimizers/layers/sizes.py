"""Factors that are too large: by a setting, or for the memory that is there."""

from collections.abc import Iterable
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
    """Raise `ValueError` for a factor that would take more than half of the free memory of its device."""
    free: dict[torch.device, int | None] = {}
    for factor in factors:
        device = factor.weight.device
        if isinstance(factor.weight, FakeTensor) or isinstance(factor.weight.data, FakeTensor):
            continue
        if device not in free:
            free[device] = _free_memory(device)
        known = free[device]
        if known is not None and factor.num_bytes > LARGEST_SHARE * known:
            raise ValueError(
                f"{optimizer}: a factor of {factor.layer} has the length {factor.length} and would take "
                f"{format_bytes(factor.num_bytes)}, more than half of the {format_bytes(known)} that are free. "
                f"{ways_out}"
            )


def _free_memory(device: torch.device) -> int | None:
    match device.type:
        case "cpu":
            return int(psutil.virtual_memory().available)
        case "cuda":
            return int(torch.cuda.mem_get_info(device)[0])
        case _:
            return None
