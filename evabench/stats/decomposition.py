"""Where a speed-up comes from: fewer steps or cheaper ones.

For each seed that both arms reach,

    log(T_base / T_arm) = log(steps_base / steps_arm) + log(step time_base / step time_arm) + rest

where T is the run's own clock and the rest is what the two factors do not explain. Without own clocks there are two
factors, and their product is the time. The factors are geometric means over these seeds: medians do not multiply.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """Factors of base over arm: above 1 the arm is better. Their product is `time_factor`."""

    steps_factor: float  # fewer steps to the target
    step_time_factor: float  # cheaper steps
    rest_factor: float | None  # of the runs' own clocks; None: no seed was run alone by both arms
    num_seeds: int  # that both arms reached, with own clocks where there are any: the factors are theirs
    num_excluded: int  # paired seeds that an arm missed

    @property
    def time_factor(self) -> float:
        """Return the product of the factors: the geometric mean of the ratio of times."""
        return self.steps_factor * self.step_time_factor * (1.0 if self.rest_factor is None else self.rest_factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedTarget:
    """What one arm needed, by seed; None is a miss."""

    steps: Mapping[int, int | None]
    step_seconds: Seconds  # amortised, from the timing visits
    clock_seconds: Mapping[int, Seconds]  # the run's own clock at the hit, of the seeds whose run was made alone


def decompose(base: ReachedTarget, arm: ReachedTarget) -> Decomposition | None:
    """Return the factors; None where no seed was reached by both arms.

    With own clocks all three factors are of the seeds that have both clocks, so that they multiply to their times.
    """
    paired = [seed for seed in base.steps if seed in arm.steps]
    steps = {
        seed: (base_steps, arm_steps)
        for seed in paired
        if (base_steps := base.steps[seed]) is not None and (arm_steps := arm.steps[seed]) is not None
    }
    clocked = [seed for seed in steps if seed in base.clock_seconds and seed in arm.clock_seconds]
    seeds = clocked or list(steps)
    if not seeds:
        return None
    steps_log = _mean([math.log(steps[seed][0] / steps[seed][1]) for seed in seeds])
    step_time_log = math.log(base.step_seconds / arm.step_seconds)
    clock_log = _mean([math.log(base.clock_seconds[seed] / arm.clock_seconds[seed]) for seed in clocked])
    return Decomposition(
        steps_factor=math.exp(steps_log),
        step_time_factor=math.exp(step_time_log),
        rest_factor=math.exp(clock_log - steps_log - step_time_log) if clocked else None,
        num_seeds=len(seeds),
        num_excluded=len(paired) - len(steps),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
