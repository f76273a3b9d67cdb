"""How long until the validation loss or accuracy reaches a target, and the ratio of two arms' times with misses in it.

A run hits a target at the first of two consecutive evaluations that are both at the target or better; one lucky
evaluation is not a hit, and a first hit at the last evaluation is a miss. Seconds to target = steps to target x
amortised step time, because step times are measured alone and training runs need not be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from evabench.records.convergence import Evaluation
from evabench.settings.targets import TargetMetric
from evabench.stats.interval import Interval
from evabench.stats.order_statistics import median_interval, median_lower_bound, median_upper_bound
from evabench.units import Seconds

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Goal:
    """A value to reach: a loss at most, an accuracy at least."""

    value: float
    metric: TargetMetric = "loss"

    @property
    def number(self) -> str:
        """Return "0.07", "70 %"."""
        return f"{100 * self.value:g} %" if self.metric == "accuracy" else f"{self.value:g}"

    @property
    def words(self) -> str:
        """Return "validation loss 0.07", "validation accuracy 70 %"."""
        return f"validation {self.metric} {self.number}"

    def met_by(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation is at the value or better; what is not finite or not there never is."""
        if self.metric == "accuracy":
            return evaluation.validation_accuracy is not None and evaluation.validation_accuracy >= self.value
        return evaluation.validation_loss is not None and evaluation.validation_loss <= self.value


def first_hit(evaluations: Sequence[Evaluation], target: Goal) -> Evaluation | None:
    """Return the evaluation at which the target was hit, None for a miss.

    An evaluation before the first step is not of training and cannot hit.
    """
    trained = [evaluation for evaluation in evaluations if evaluation.step > 0]
    for first, second in pairwise(trained):
        if target.met_by(first) and target.met_by(second):
            return first
    return None


def steps_to_target(evaluations: Sequence[Evaluation], target: Goal) -> int | None:
    """Return the steps after which the target was hit, None for a miss."""
    hit = first_hit(evaluations, target)
    return hit.step if hit else None


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
