"""The ratio of two times to a target, of which both factors are uncertain.

    ratio = steps of the base / steps of the arm  x  step time of the base / step time of the arm
    L(a)  = L_steps(a / 2) x L_step_time(a / 2),  U mirrored

Steps by order statistics over seeds, step times by the trimmed t over pairs. Each factor's bound fails with probability
a / 2, so their product fails with a at most, whatever ties them together. With the step time as a point the error at
the boundary is 14 to 31 % instead of 5 % (docs/statistics.md).

Steps to a target are known to an evaluation: a hit at step s that was none at the evaluation before, at p, happened
somewhere in (p, s]. So a lower bound takes the base's p + 1 against the arm's s, and an upper bound the base's s
against the arm's p + 1. A coarse cadence costs power and no truth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evabench.stats.interval import Bounds, Interval
from evabench.stats.order_statistics import lower_rank
from evabench.stats.time_to_target import SpeedUp, speed_up

# (last evaluation without a hit, the hit): the hit happened in between. None: a miss.
Bracket = tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRatio:
    """`base_over_arm`, in steps to a target: above 1 the arm needs fewer. Paired by seed."""

    at_hits: SpeedUp  # as the evaluations say
    least: SpeedUp  # the base as early, the arm as late as the evaluations allow
    most: SpeedUp

    @property
    def num_seeds(self) -> int:
        """Return the paired seeds, misses included."""
        return self.at_hits.num_seeds

    @property
    def estimate(self) -> float | None:
        """Return the median of the ratio of hits; None where neither arm ever hit."""
        return self.at_hits.estimate

    @property
    def interval(self) -> Interval | None:
        """Return the interval of 95 % at least; None where there are too few seeds for it."""
        return _interval(self, self.num_seeds, 0.025)

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound of the median; -inf where there are too few seeds for this level."""
        return self.least.lower_bound(alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound of the median; inf where there are too few seeds for this level."""
        return self.most.upper_bound(alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRatio:
    """`base_over_arm`, in seconds to a target: above 1 the arm gets there sooner."""

    steps: StepsRatio
    step_time: Bounds  # of the base over that of the arm
    step_time_estimate: float

    @property
    def num_seeds(self) -> int:
        """Return the paired seeds, misses included."""
        return self.steps.num_seeds

    @property
    def estimate(self) -> float | None:
        """Return the product of both estimates; None where neither arm ever hit."""
        steps = self.steps.estimate
        return None if steps is None else steps * self.step_time_estimate

    @property
    def interval(self) -> Interval | None:
        """Return the interval of 95 % at least, of both noises; None where there are too few seeds for it."""
        return _interval(self, self.num_seeds, 0.0125)

    def lower_bound(self, alpha: float) -> float:
        """Return the product of both lower bounds; -inf where there are too few seeds for this level."""
        steps, step_time = self.steps.lower_bound(alpha / 2), self.step_time.lower_bound(alpha / 2)
        return steps if math.isinf(steps) and steps < 0 else _product(steps, step_time, unknown=0.0)

    def upper_bound(self, alpha: float) -> float:
        """Return the product of both upper bounds; inf where there are too few seeds or pairs for this level."""
        steps, step_time = self.steps.upper_bound(alpha / 2), self.step_time.upper_bound(alpha / 2)
        return _product(steps, step_time, unknown=math.inf)


def steps_ratio(base: Mapping[int, Bracket], arm: Mapping[int, Bracket]) -> StepsRatio | None:
    """Return the ratio over the seeds that both arms have; None where there is no such seed."""
    at_hits = speed_up(_latest(base), _latest(arm))
    least = speed_up(_earliest(base), _latest(arm))
    most = speed_up(_latest(base), _earliest(arm))
    return StepsRatio(at_hits=at_hits, least=least, most=most) if at_hits and least and most else None


def _latest(brackets: Mapping[int, Bracket]) -> dict[int, float | None]:
    return {seed: None if bracket is None else bracket[1] for seed, bracket in brackets.items()}


def _earliest(brackets: Mapping[int, Bracket]) -> dict[int, float | None]:
    return {seed: None if bracket is None else bracket[0] + 1 for seed, bracket in brackets.items()}


def _interval(ratio: StepsRatio | TimeRatio, num_seeds: int, of_steps: float) -> Interval | None:
    """Return the two bounds at 2.5 % each; None where the seeds have no bound of the error that is theirs."""
    if lower_rank(num_seeds, of_steps) is None:
        return None
    return Interval(low=ratio.lower_bound(0.025), high=ratio.upper_bound(0.025), level=0.95)


def _product(one: float, other: float, *, unknown: float) -> float:
    """Return the product; 0 x inf, of which nothing is known, is the end that says least."""
    product = one * other
    return unknown if math.isnan(product) else product
