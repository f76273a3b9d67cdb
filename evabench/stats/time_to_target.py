"""The ratio of two arms' times to a target, with misses in it.

Seconds to target = steps to target x amortised step time, because step times are measured alone and training runs
need not be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from evabench.stats.interval import Interval
from evabench.stats.order_statistics import median_interval, median_lower_bound, median_upper_bound
from evabench.units import Seconds

INFINITE = float("inf")


def seconds_to_target(steps: Mapping[int, int | None], step_seconds: Seconds) -> dict[int, Seconds | None]:
    """Return steps x amortised step time of each seed; a miss stays None."""
    return {seed: None if count is None else count * step_seconds for seed, count in steps.items()}


def median_seconds(seconds: Mapping[int, Seconds | None]) -> Seconds:
    """Return the median over seeds in which a miss is infinite: inf where half of the seeds missed or more."""
    return median(INFINITE if value is None else value for value in seconds.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedUp:
    """`base_over_arm`: above 1 the arm reaches the target sooner. Paired by seed."""

    ratios: tuple[float, ...]  # inf: only the base missed; 0: only the arm missed
    num_base_missed: int  # alone
    num_arm_missed: int  # alone
    num_both_missed: int  # counted at both ends: 0 for the lower bound, inf for the upper

    @property
    def num_seeds(self) -> int:
        """Return the paired seeds, misses included."""
        return len(self.ratios) + self.num_both_missed

    @property
    def num_both_hit(self) -> int:
        """Return the seeds with two finite times."""
        return len(self.ratios) - self.num_base_missed - self.num_arm_missed

    @property
    def estimate(self) -> float | None:
        """Return the median of the seeds that at least one arm reached; None where neither ever did."""
        return median(self.ratios) if self.ratios else None

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

    @property
    def _pessimistic(self) -> tuple[float, ...]:
        return self.ratios + (0.0,) * self.num_both_missed

    @property
    def _optimistic(self) -> tuple[float, ...]:
        return self.ratios + (INFINITE,) * self.num_both_missed


def speed_up(base: Mapping[int, float | None], arm: Mapping[int, float | None]) -> SpeedUp | None:
    """Return how much sooner the arm hits, from seed -> time (or steps) to target; None where no seed has both runs."""
    ratios, base_missed, arm_missed, both_missed = [], 0, 0, 0
    seeds = [seed for seed in base if seed in arm]
    for seed in seeds:
        base_time, arm_time = base[seed], arm[seed]
        if base_time is None and arm_time is None:
            both_missed += 1
        elif base_time is None:
            base_missed += 1
            ratios.append(INFINITE)
        elif arm_time is None:
            arm_missed += 1
            ratios.append(0.0)
        else:
            ratios.append(base_time / arm_time)
    if not seeds:
        return None
    return SpeedUp(
        ratios=tuple(ratios), num_base_missed=base_missed, num_arm_missed=arm_missed, num_both_missed=both_missed
    )
