"""Rates of linear convergence from curves of the excess loss, and the best learning rate of a grid.

Legend: f_t = (L_t - L*) / (L_0 - L*) the excess after t steps; near the optimum f_t ~ rho^(2 t), where rho is what a
step multiplies the distance from the optimum by. Gradient descent at its best rate has rho = (k - 1) / (k + 1), k the
condition.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from evabench.stats.interval import Interval
from evabench.stats.order_statistics import median_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """The excess loss f_t of one seed at one learning rate, at some of its steps; None: not finite."""

    steps: Sequence[int]
    excess: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRate:
    """One arm at the learning rate of the grid that brought the loss down most per step, the median over seeds."""

    multiple: float  # of gradient descent's best learning rate
    num_tried: int
    at_edge: bool  # of the grid: a better one may lie beyond it
    contractions: tuple[float, ...]  # rho of each seed
    interval: Interval | None  # of their median; None: too few seeds

    @property
    def contraction(self) -> float:
        """Return the median of rho over the seeds."""
        return median(self.contractions)


def contraction(fall: Fall) -> float | None:
    """Return rho, by least squares on log f_t over the second half of the steps; None where the loss did not fall.

    The first half is the burn-in: directions of large curvature, and statistics that are still far from the optimum's.
    """
    points = [
        (step, math.log(excess) / 2)
        for step, excess in zip(fall.steps, fall.excess, strict=True)
        if excess is not None and excess > 0 and 2 * step >= fall.steps[-1]
    ]
    if _mean_fall(fall) is None or len(points) < 2:
        return None
    steps, halves = zip(*points, strict=True)
    return math.exp(float(np.polyfit(steps, halves, 1)[0]))


def best_rate(grids: Mapping[int, Mapping[float, Fall]]) -> BestRate | None:
    """Return the best of the learning rates at which the loss fell in every seed; None where there is none.

    `grids` are by seed and by multiple, the same grid in each. One rate counts for all seeds, so that no seed chooses
    for itself.
    """
    by_multiple: dict[float, list[Fall]] = {}
    for grid in grids.values():
        for multiple, fall in grid.items():
            by_multiple.setdefault(multiple, []).append(fall)
    scores: dict[float, float] = {}
    for multiple, tried in by_multiple.items():
        means = [mean for fall in tried if contraction(fall) is not None and (mean := _mean_fall(fall)) is not None]
        if len(means) == len(grids):
            scores[multiple] = median(means)
    if not scores:
        return None
    best = min(scores, key=lambda multiple: scores[multiple])
    found = tuple(rho for fall in by_multiple[best] if (rho := contraction(fall)) is not None)
    return BestRate(
        multiple=best,
        num_tried=len(by_multiple),
        at_edge=best in (min(by_multiple), max(by_multiple)),
        contractions=found,
        interval=median_interval(found),
    )


def steps_to_a_tenth(rho: float) -> float:
    """Return how many steps divide the excess loss by ten at this rate; infinite where it does not fall."""
    return math.log(10) / (-2 * math.log(rho)) if rho < 1 else math.inf


def _mean_fall(fall: Fall) -> float | None:
    """Return the mean log f_t per step over all of them, None where the loss ended above its start."""
    last = fall.excess[-1]
    if last is None or not 0 < last < 1:
        return None
    return math.log(last) / fall.steps[-1]
