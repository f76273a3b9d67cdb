"""One arm on one workload at one training budget, with everything that its runs say.

Only runs that completed count as step times. A training run that did not get to the end of its budget, for whatever
reason, is a miss: it stays at risk until the end and never gets there. To leave out those that crashed would keep
the seeds that went well. A run that was lost through no fault of its arm is not stored, so none of them is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

import numpy as np

from evabench.findings.disturbances import is_clean
from evabench.findings.failed_check import FailedCheck
from evabench.findings.followed import FollowedDirection
from evabench.findings.goals import Goal, first_hit, hit_bracket, steps_to_target
from evabench.records.convergence import Convergence
from evabench.records.directions import Directions
from evabench.records.health import Health
from evabench.records.limits import Limits
from evabench.records.measurement import ConvergenceSettings, Measured, MechanismSettings
from evabench.records.memory import Memory
from evabench.records.phases import Phases
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.records.trivial import TrivialLevel
from evabench.settings.eva import is_ablation
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.targets import TargetMetric
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.decomposition import ReachedTarget
from evabench.stats.drift import Visited, places_of
from evabench.stats.paired import PairedRatio, paired_ratio
from evabench.stats.rates import BestRate
from evabench.stats.time_to_target import seconds_to_target
from evabench.stats.trimmed import trimmed_geometric_mean
from evabench.units import Seconds

_LONG_FIRST_STEP = 20  # times an amortised step

Record = TypeVar("Record")
Series = tuple[ConvergenceSettings, int]  # and threads
# Seed and number, for two series may both have a third sweep; and the limits, which paired runs must share.
Sweep = tuple[int, int, Limits | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredArm:
    """One arm on one workload at one training budget. `None` and empty: not measured."""

    workload_name: str
    workload: WorkloadSettings
    ranks: int
    name: str
    optimizer: OptimizerSettings
    budget: ConvergenceSettings | None  # of `trainings`; None: it was not trained
    threads: int
    device: str  # its kind
    target: str | None  # the hash that `trainings` carry; None: a number of the suite judges them, or nothing
    visits: tuple[StepTime, ...]  # the pilot is not one
    step_seconds: Mapping[Sweep, Seconds]  # amortised, of each visit
    trainings: Mapping[int, Run]  # by seed, whatever became of them
    excluded: tuple[str, ...]  # sentences about the runs that do not count
    first_step_seconds: Seconds | None  # of the pilot, with what is made once
    records: tuple[Measured, ...]  # of every kind of measurement, by seed
    healths: tuple[Health, ...]  # one for each run of an optimizer that says so
    preconditioned_share: float | None  # of the trained parameters
    probed_by: MechanismSettings | None  # how those were asked for
    has_rates: bool  # whether learning rates were tried on a quadratic
    best_rate: BestRate | None  # None: not tried, or the loss fell at none of them in every seed
    unequal: tuple[FailedCheck, ...] = ()  # checks of equal conditions that it did not pass
    visited: Mapping[Sweep, Visited] = field(default_factory=dict)  # where each visit stood
    ablation_of: str | None = None  # the arm whose curvature is missing here, as the suite says; None: no ablation

    @property
    def is_ablation(self) -> bool:
        """Return whether it is a method without its curvature, by the suite or by its own settings."""
        return self.ablation_of is not None or is_ablation(self.optimizer)

    @property
    def compared(self) -> bool:
        """Return whether any run was to time or to train it: claims about time are about such arms."""
        return bool(self.visits or self.trainings or self.excluded)

    def records_of(self, kind: type[Record]) -> tuple[Record, ...]:
        """Return what was measured of one kind, by seed."""
        return tuple(record for record in self.records if isinstance(record, kind))

    @property
    def followed(self) -> FollowedDirection | None:
        """Return which way the arm stepped, beside the gradient; None where nobody looked."""
        return FollowedDirection.of(self.records_of(Directions))

    @property
    def phases(self) -> Phases | None:
        """Return the parts of a step."""
        return next(iter(self.records_of(Phases)), None)

    @property
    def memory(self) -> Memory | None:
        """Return the bytes of a step."""
        return next(iter(self.records_of(Memory)), None)

    @property
    def amortised_seconds(self) -> Seconds | None:
        """Return one figure for the step time: the trimmed geometric mean of the visits; None where not timed.

        It is made like the ratio of two arms, from which it differs only where the two trim different sweeps.
        """
        return trimmed_geometric_mean(tuple(self.step_seconds.values())) if self.step_seconds else None

    def step_over(self, base: "MeasuredArm") -> PairedRatio | None:
        """Return this arm's step over another's, from the sweeps that both completed; None: there is no such sweep."""
        places = places_of(self.visited, base.visited) if self.visited and base.visited else None
        return paired_ratio(self.step_seconds, base.step_seconds, places)

    def timed_under(self, limits: Limits | None) -> bool:
        """Return whether the steps were timed under these limits: what a CPU gives depends on them."""
        return any(under == limits for _, _, under in self.step_seconds)

    @property
    def plain_seconds(self) -> Seconds | None:
        """Return the median step that does not refresh, the median over visits."""
        return median(visit.plain_seconds for visit in self.visits) if self.visits else None

    @property
    def slowest_seconds(self) -> Seconds | None:
        """Return the median of the slowest position in the cycle: the refresh, where there is one."""
        return median(max(visit.position_seconds) for visit in self.visits) if self.visits else None

    @property
    def p99_seconds(self) -> Seconds | None:
        """Return the 99 % quantile of all timed steps."""
        steps = [seconds for visit in self.visits for seconds in visit.step_seconds]
        return float(np.quantile(steps, 0.99)) if steps else None

    @property
    def latency_seconds(self) -> Seconds | None:
        """Return the median step with the device awaited behind it, the median over visits; None on a CPU."""
        found = [median(visit.latency_seconds) for visit in self.visits if visit.latency_seconds]
        return median(found) if found else None

    @property
    def num_steps(self) -> int:
        """Return how many steps were timed."""
        return sum(len(visit.step_seconds) for visit in self.visits)

    @property
    def curves(self) -> tuple[Convergence, ...]:
        """Return the trainings by seed; those that did not complete too, as far as they got."""
        runs = (self.trainings[seed] for seed in sorted(self.trainings))
        return tuple(run.measured for run in runs if isinstance(run.measured, Convergence))

    @property
    def final_losses(self) -> tuple[float | None, ...]:
        """Return the validation loss at the end of each budget; None: it did not get there."""
        return tuple(self.validation(seed, "loss") for seed in sorted(self.trainings))

    @property
    def test_losses(self) -> tuple[float | None, ...]:
        """Return the test loss of each seed, evaluated once; None: it did not get there."""
        runs = (self.trainings[seed] for seed in sorted(self.trainings))
        return tuple(run.measured.test_loss if isinstance(run.measured, Convergence) else None for run in runs)

    @property
    def series(self) -> Series | None:
        """Return what two training runs must have in common to stand in one table; None: it was not trained."""
        return (self.budget, self.threads) if self.budget else None

    @property
    def epochs(self) -> float | None:
        """Return the budget in passes over the training set; None without training or a length of a pass."""
        steps = self.workload.steps_per_epoch
        return self.budget.steps / steps if self.budget and steps else None

    def steps_to(self, target: Goal) -> dict[int, int | None]:
        """Return the steps to the target by seed, None for a miss."""
        return {seed: _steps(run, target) for seed, run in self.trainings.items()}

    def brackets_to(self, target: Goal) -> dict[int, tuple[int, int] | None]:
        """Return between which two evaluations each seed hit the target, in steps; None for a miss."""
        return {
            seed: hit_bracket(run.measured.evaluations, target)
            if run.outcome.completed and isinstance(run.measured, Convergence)
            else None
            for seed, run in self.trainings.items()
        }

    def paid_brackets_to(self, target: Goal) -> dict[int, tuple[int, int] | None]:
        """Return the same, with what a long first step is worth in steps beyond itself."""
        return {
            seed: bracket and (bracket[0] + self._paid_steps(seed), bracket[1] + self._paid_steps(seed))
            for seed, bracket in self.brackets_to(target).items()
        }

    def seconds_to(self, target: Goal) -> dict[int, Seconds | None] | None:
        """Return steps x amortised step time by seed, with a long first step; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        if step_seconds is None:
            return None
        steps = self.steps_to(target)
        paid = {seed: None if count is None else count + self._paid_steps(seed) for seed, count in steps.items()}
        return seconds_to_target(paid, step_seconds)

    def _paid_steps(self, seed: int) -> int:
        """Return how many timed steps the first step took beyond itself, where it took more than 20.

        Compiled code and eigenvectors that are made once are part of the way to a target. Less than that is what any
        first step takes, and what the load of a machine may add.
        """
        run, step_seconds = self.trainings[seed].measured, self.amortised_seconds
        first = run.first_step_seconds if isinstance(run, Convergence) else None
        if first is None or not step_seconds or first <= _LONG_FIRST_STEP * step_seconds:
            return 0
        return round(first / step_seconds) - 1

    def reached(self, target: Goal) -> ReachedTarget | None:
        """Return what a decomposition needs; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        if step_seconds is None:
            return None
        return ReachedTarget(
            steps=self.steps_to(target), step_seconds=step_seconds, clock_seconds=self._clock_seconds(target)
        )

    @property
    def learned_nothing(self) -> dict[int, TrivialLevel]:
        """Return the seeds whose run ended where a predictor without a net does, with its level."""
        found = {
            seed: run.measured.learned_nothing
            for seed, run in self.trainings.items()
            if isinstance(run.measured, Convergence)
        }
        return {seed: level for seed, level in found.items() if level is not None}

    def validation(self, seed: int, metric: TargetMetric, step: int | None = None) -> float | None:
        """Return what a training run came to at the end of its budget, or at a step; None: it did not get there."""
        run = self.trainings[seed]
        if not run.outcome.completed or not isinstance(run.measured, Convergence):
            return None
        wanted = run.measured.budget_steps if step is None else step
        found = next((one for one in run.measured.evaluations if one.step == wanted), None)
        if found is None:
            return None
        return found.validation_accuracy if metric == "accuracy" else found.validation_loss

    def missed_share(self, target: Goal) -> float:
        """Return the share of the seeds that missed the target."""
        steps = self.steps_to(target).values()
        return sum(count is None for count in steps) / len(steps) if steps else 0.0

    def _clock_seconds(self, target: Goal) -> dict[int, Seconds]:
        """Return the run's own clock at the hit, for runs that had the machine for themselves, undisturbed.

        Their limits are those of the timed steps, which stand beside them.
        The first step holds what is made once, compiled code above all: a first step of a cycle that was timed alone
        stands in its place.
        """
        usual = median(visit.position_seconds[0] for visit in self.visits)
        clocks = {}
        for seed, run in self.trainings.items():
            clean = is_clean(run.conditions) and self.timed_under(run.conditions.limits)
            if clean and run.outcome.completed and isinstance(run.measured, Convergence):
                hit = first_hit(run.measured.evaluations, target)
                if hit is not None:
                    first = run.measured.first_step_seconds
                    clocks[seed] = hit.seconds if first is None else hit.seconds - first + usual
        return clocks


def _steps(run: Run, target: Goal) -> int | None:
    if not run.outcome.completed or not isinstance(run.measured, Convergence):
        return None
    return steps_to_target(run.measured.evaluations, target)
