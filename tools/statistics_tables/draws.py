"""Experiments that are drawn: visits of sweeps, steps to a target, final losses, each with a truth that is known."""

import math
from dataclasses import dataclass

import numpy as np

from evabench.stats.drift import places_of
from evabench.stats.non_inferiority import Metric, PairedDifference, paired_difference
from evabench.stats.paired import PairedRatio, paired_ratio
from evabench.stats.two_noises import StepsRatio, TimeRatio, steps_ratio

SEED = 20230804
BASE_STEPS = 200.0  # median of the base, to the target
PAIR_SD = 0.047  # of d over adjacent pairs, on a shared machine of two cores
RUN_SD, LAG = 0.075, 0.80  # of log step times from visit to visit there
BURST, BURST_SHARE = math.log(1.3), 0.08

Random = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How much is measured of two arms, and with how much noise."""

    seeds: int = 8
    sd: float = 0.15  # of the log of the ratio of steps, over seeds
    sweeps: int = 6
    noise: str = "drift"
    arms: int = 2  # in a sweep; the two that are compared are its first and its last
    cadence: float = 1 / 50  # of the base's median steps

    @property
    def timed(self) -> str:
        """Return "6 sweeps of 2 arms (drift)"."""
        return f"{self.sweeps} sweeps of {self.arms} arms ({self.noise})"

    @property
    def words(self) -> str:
        """Return "8 seeds (sd 3 %), 6 sweeps of 2 arms (drift), cadence 1/50"."""
        return f"{self.seeds} seeds (sd {100 * self.sd:g} %), {self.timed}, cadence 1/{1 / self.cadence:g}"


def slowdowns(random: Random, design: Design) -> np.ndarray:
    """Return the log slow-down of each visit: [sweeps, arms], by arm, in sweeps that alternate in direction."""
    shape = (design.sweeps, design.arms)
    if design.noise != "drift":
        white = random.normal(0, PAIR_SD / math.sqrt(2), shape)
        return white + BURST * (random.random(shape) < BURST_SHARE) if design.noise == "bursts" else white
    drift = np.empty(math.prod(shape))
    drift[0] = random.normal(0, RUN_SD)
    for at in range(1, len(drift)):
        drift[at] = LAG * drift[at - 1] + random.normal(0, RUN_SD * math.sqrt(1 - LAG**2))
    by_sweep = drift.reshape(shape)
    by_sweep[1::2] = by_sweep[1::2, ::-1].copy()
    return by_sweep


def step_times(random: Random, ratio: float, design: Design) -> PairedRatio:
    """Return the ratio of two arms' step times, the first of a sweep over its last, whose truth is `ratio`."""
    logs = slowdowns(random, design)
    arm, base = (dict(enumerate(np.exp(logs[:, at]))) for at in (0, -1))
    found = paired_ratio({sweep: ratio * float(one) for sweep, one in arm.items()}, base, places(design))
    assert found is not None
    return found


def places(design: Design) -> dict[int, tuple[int, int]]:
    """Return where the first and the last arm of each sweep stood among all visits."""
    last = design.arms - 1
    first, opposite = (
        {sweep: (sweep, abs(at - last * (sweep % 2))) for sweep in range(design.sweeps)} for at in (0, last)
    )
    return places_of(first, opposite)


def steps(random: Random, ratio: float, design: Design) -> StepsRatio:
    """Return base over arm in steps, evaluated every `cadence` of the base's median; the true median is `ratio`."""
    every = max(1, round(design.cadence * BASE_STEPS))
    taken = BASE_STEPS * np.exp(random.normal(0, 0.1, design.seeds))
    arms = taken / (ratio * np.exp(random.normal(0, design.sd, design.seeds)))
    found = steps_ratio(*({seed: _bracket(at, every) for seed, at in enumerate(each)} for each in (taken, arms)))
    assert found is not None
    return found


def _bracket(hit: float, every: int) -> tuple[int, int]:
    evaluation = max(1, math.ceil(hit / every))
    return (evaluation - 1) * every, evaluation * every


def times(random: Random, truth: float, design: Design) -> TimeRatio:
    """Return the time ratio of two arms of which a step of the second costs 1.2 of the first's."""
    step_time = step_times(random, 1 / 1.2, design)
    taken = steps(random, 1.2 * truth, design)
    return TimeRatio(steps=taken, step_time=step_time, step_time_estimate=step_time.estimate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """How final losses of two arms differ from seed to seed."""

    seeds: int = 8
    sd: float = 0.03  # of the log ratio; of an accuracy, in shares
    skewed: bool = False  # an exponential instead of a normal distribution
    metric: Metric = "loss"

    @property
    def words(self) -> str:
        """Return "8 seeds, sd 3 %, skewed"."""
        return f"{self.seeds} seeds, sd {100 * self.sd:g} %{', skewed' if self.skewed else ''}"


def differences(random: Random, truth: float, losses: Losses, centre: float = math.log(2)) -> PairedDifference:
    """Return how much better an arm ends, of which the median is `truth`; of a loss as its logarithm.

    `centre` is what a skewed noise, an exponential, has where the truth is: its median, if nothing else is said.
    """
    shape = losses.seeds
    noise = random.exponential(1.0, shape) - centre if losses.skewed else random.normal(0, 1, shape)
    better = {seed: truth + losses.sd * float(each) for seed, each in enumerate(noise)}
    if losses.metric == "loss":
        arm, base = {seed: math.exp(-each) for seed, each in better.items()}, dict.fromkeys(better, 1.0)
    elif losses.metric == "accuracy":
        arm, base = {seed: 0.5 + each for seed, each in better.items()}, dict.fromkeys(better, 0.5)
    else:
        arm, base = {seed: -each for seed, each in better.items()}, dict.fromkeys(better, 0.0)
    found = paired_difference(arm, base, losses.metric)
    assert found is not None
    return found
