"""Whether an arm is at most a stated margin worse than the base, from runs paired by seed.

The difference is positive where the arm is better, so "not worse by m" asks that its one-sided lower bound exceed -m.
Accuracy: d = arm - base, in points. Loss: d = log(base / arm), about the relative reduction, compared with
log(1 + m). A loss that can be 0 or below has no ratio: d = base - arm, compared with an absolute margin. Not finding
a difference is not this answer.

What is estimated is the median over seeds, and its bounds are order statistics (see `order_statistics`): they hold for
any distribution, where a t of eight skewed differences is wrong in 13 % instead of 5 % (docs/statistics.md). A run that
did not get there is the worst there is: d = inf where the base alone failed, -inf where the arm alone did, and both
failing counts at both ends.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from evabench.stats.interval import Interval
from evabench.stats.order_statistics import median_interval, median_lower_bound, median_upper_bound

Metric = Literal["accuracy", "loss", "signed_loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """Positive: the arm is better."""

    differences: tuple[float, ...]  # one per seed; inf: only the base failed, -inf: only the arm
    num_both_failed: int = 0  # seeds that have no difference

    @property
    def num_seeds(self) -> int:
        """Return the paired seeds, those that failed too."""
        return len(self.differences) + self.num_both_failed

    @property
    def estimate(self) -> float | None:
        """Return the median of the seeds that one arm finished at least; None where there is none, or no middle."""
        found = median(self.differences) if self.differences else math.nan
        return None if math.isnan(found) else found  # as many seeds only the base failed as only the arm

    @property
    def interval(self) -> Interval | None:
        """Return the narrowest symmetric pair of order statistics with a level of at least 95 %; None below 6 seeds."""
        low, high = median_interval(self._pessimistic), median_interval(self._optimistic)
        return Interval(low=low.low, high=high.high, level=low.level) if low and high else None

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound of the median; -inf where there are too few seeds for this level."""
        return median_lower_bound(self._pessimistic, alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound of the median; inf where there are too few seeds for this level."""
        return median_upper_bound(self._optimistic, alpha)

    def is_not_worse_by(self, margin: float, alpha: float = 0.05) -> bool:
        """Return whether the lower bound exceeds -margin; False says nothing about being worse."""
        if margin <= 0:
            raise ValueError(f"margin must be above 0, got {margin}")
        return self.lower_bound(alpha) > -margin

    @property
    def _pessimistic(self) -> tuple[float, ...]:
        return self.differences + (-math.inf,) * self.num_both_failed

    @property
    def _optimistic(self) -> tuple[float, ...]:
        return self.differences + (math.inf,) * self.num_both_failed


@dataclass(frozen=True, slots=True)
class LossRatio:
    """`arm_over_base`: exp(-d) of a difference of log losses; above 1 the arm is worse."""

    difference: PairedDifference

    @property
    def estimate(self) -> float | None:
        """Return the ratio; 0: only the base failed, inf: only the arm; None: both failed in every seed."""
        found = self.difference.estimate
        return None if found is None else _exp(-found)

    @property
    def interval(self) -> Interval | None:
        """Return the interval of the difference, turned round."""
        found = self.difference.interval
        return Interval(low=_exp(-found.high), high=_exp(-found.low), level=found.level) if found else None

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound."""
        return _exp(-self.difference.upper_bound(alpha))

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound."""
        return _exp(-self.difference.lower_bound(alpha))


def paired_difference(
    arm: Mapping[int, float | None], base: Mapping[int, float | None], metric: Metric = "loss"
) -> PairedDifference | None:
    """Return the differences over the seeds that both arms have; None where there is no such seed.

    A value of None is that of a run which did not get there.
    """
    found, num_both_failed = [], 0
    seeds = [seed for seed in arm if seed in base]
    for seed in seeds:
        one, other = arm[seed], base[seed]
        if one is None and other is None:
            num_both_failed += 1
        elif one is None or other is None:
            found.append(-math.inf if one is None else math.inf)
        else:
            found.append(_difference(one, other, metric))
    return PairedDifference(differences=tuple(found), num_both_failed=num_both_failed) if seeds else None


def relative_margin(share: float) -> float:
    """Return the margin of a loss for "at most this share higher": log(1 + share)."""
    return math.log1p(share)


def _difference(arm: float, base: float, metric: Metric) -> float:
    match metric:
        case "accuracy":
            return arm - base
        case "signed_loss":
            return base - arm
        case "loss":
            if min(arm, base) <= 0:
                raise ValueError(
                    "a loss of 0 or below has no ratio: compare it as a signed loss, with an absolute margin"
                )
            return math.log(base / arm)


def _exp(log: float) -> float:
    return math.inf if log > 700 else math.exp(log)
