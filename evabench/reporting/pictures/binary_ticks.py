"""Ticks of an axis of bytes: at powers of two and their multiples, so that every label is a short number."""

import math

from evabench.units import Bytes

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def linear_ticks(most: float, about: int = 6) -> tuple[Bytes, ...]:
    """Return from 0 on at most twice `about` ticks up to the most: multiples of one power of two."""
    step = 2 ** max(0, math.ceil(math.log2(max(most, 1) / about)))
    return tuple(range(0, int(most) + 1, step))


def log_ticks(least: float, most: float, about: int = 6) -> tuple[Bytes, ...]:
    """Return powers of two from below the least to above the most, equally far from each other."""
    first, last = math.floor(math.log2(max(least, 1))), math.ceil(math.log2(max(most, 2)))
    stride = max(1, math.ceil((last - first) / about))
    return tuple(2**power for power in range(first, last + stride, stride))


def tick_label(num_bytes: Bytes) -> str:
    """Return "0", "96 KiB", "1.5 MiB": exact, and so short because ticks are binary."""
    value, unit = float(num_bytes), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return "0" if num_bytes == 0 else f"{value:g} {_UNITS[unit]}"
