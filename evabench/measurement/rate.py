"""Trials on a quadratic, one a learning rate, each to the end of its steps or to the bottom."""

import math
from collections.abc import Callable

from torch import Tensor

from evabench.records.measurement import RateSettings
from evabench.records.rate import RateTrial

NUM_POINTS = 24  # of a curve that is kept, the start not counted
_DIVERGED = 1e12  # times the excess at the start


def try_rate(
    multiple: float, step: Callable[[], object], excess: Callable[[], Tensor], settings: RateSettings
) -> RateTrial:
    """Run one trial from its start; the excess loss is read at every step, and kept at evenly spaced ones."""
    start = float(excess())
    shares: list[float | None] = [1.0]
    while len(shares) <= settings.steps:
        step()
        share = float(excess()) / start
        shares.append(float(f"{share:.6g}") if math.isfinite(share) else None)
        if shares[-1] is None or not settings.floor < share < _DIVERGED:
            break
    last = len(shares) - 1
    kept = sorted({round(last * point / NUM_POINTS) for point in range(NUM_POINTS + 1)})
    return RateTrial(multiple=multiple, steps=tuple(kept), excess=tuple(shares[step] for step in kept))
