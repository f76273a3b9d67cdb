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

from evabench.records.rate import RateTrial
from evabench.stats.interval import Interval
from evabench.stats.order_statistics import median_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRate:
    """One arm at the learning rate of the grid that brought the loss down most a step, the median over seeds."""

    multiple: float  # of gradient descent's best learning rate
    num_tried: int
    at_edge: bool  # of the grid: a better one may lie beyond it
    contractions: tuple[float, ...]  # rho of each seed
    interval: Interval | None  # of their median; None: too few seeds

    @property
    def contraction(self) -> float:
        """Return the median of rho over the seeds."""
        return median(self.contractions)


def contraction(trial: RateTrial) -> float | None:
    """Return rho, by least squares on log f_t over the second half of the steps; None where the loss did not fall.

    The first half is the burn-in: directions of large curvature, and statistics that are still far from the optimum's.
    """
    points = [
        (step, math.log(excess) / 2)
        for step, excess in zip(trial.steps, trial.excess, strict=True)
        if excess is not None and excess > 0 and 2 * step >= trial.steps[-1]
    ]
    if _fall(trial) is None or len(points) < 2:
        return None
    steps, halves = zip(*points, strict=True)
    return math.exp(float(np.polyfit(steps, halves, 1)[0]))


def best_rate(trials: Mapping[int, Sequence[RateTrial]]) -> BestRate | None:
    """Return the best of the learning rates at which the loss fell in every seed; None where there is none.

    `trials` are by seed, the same grid in each. One rate counts for all seeds, so that no seed chooses for itself.
    """
    by_multiple: dict[float, list[RateTrial]] = {}
    for grid in trials.values():
        for trial in grid:
            by_multiple.setdefault(trial.multiple, []).append(trial)
    scores: dict[float, float] = {}
    for multiple, tried in by_multiple.items():
        falls = [fall for trial in tried if contraction(trial) is not None and (fall := _fall(trial)) is not None]
        if len(falls) == len(trials):
            scores[multiple] = median(falls)
    if not scores:
        return None
    best = min(scores, key=lambda multiple: scores[multiple])
    found = tuple(rho for trial in by_multiple[best] if (rho := contraction(trial)) is not None)
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


def _fall(trial: RateTrial) -> float | None:
    """Return the mean log f_t a step over the whole trial, None where the loss ended above its start."""
    last = trial.excess[-1]
    if last is None or not 0 < last < 1:
        return None
    return math.log(last) / trial.steps[-1]
