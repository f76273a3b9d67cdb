"""What the runs say about each arm of each workload: its step times, and its steps to a target.

Only runs that completed count as step times. Of the training runs, one that diverged is a miss: it stays at risk
until the end of its budget and never gets there. A run that crashed, was killed, ran out of memory or of time says
nothing about the optimizer; it is excluded, and counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from evabench.findings.repeats import counting_runs
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings, StepTimeSettings
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.decomposition import ReachedTarget
from evabench.stats.time_to_target import Goal, first_hit, seconds_to_target, steps_to_target
from evabench.stats.trimmed import trimmed_geometric_mean
from evabench.units import Seconds

Series = tuple[ConvergenceSettings, int]  # and threads
Sweep = tuple[int, int]  # seed and number: two series may both have a third sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredArm:
    """One arm on one workload at one training budget, with the runs that count."""

    workload_name: str
    workload: WorkloadSettings
    ranks: int
    arm: str
    optimizer: OptimizerSettings
    budget: ConvergenceSettings | None  # of `trainings`; None: it was not trained
    threads: int
    target: str | None  # the hash that `trainings` carry; None: a number of the suite judges them, or nothing
    visits: tuple[StepTime, ...]  # the pilot is not one
    step_seconds: Mapping[Sweep, Seconds]  # amortised, of each visit
    trainings: Mapping[int, Run]  # by seed: completed or diverged
    excluded: tuple[str, ...]  # sentences about the runs that do not count

    @property
    def amortised_seconds(self) -> Seconds | None:
        """Return one figure for the step time: the trimmed geometric mean of the visits; None where not timed.

        It is made like the ratio of two arms, from which it differs only where the two trim different sweeps.
        """
        return trimmed_geometric_mean(tuple(self.step_seconds.values())) if self.step_seconds else None

    @property
    def series(self) -> Series | None:
        """Return what two training runs must have in common to stand in one table; None: it was not trained."""
        return (self.budget, self.threads) if self.budget else None

    @property
    def epochs(self) -> float | None:
        """Return the budget in passes over the training set; None without training or a length of a pass."""
        steps = self.workload.steps_an_epoch
        return self.budget.steps / steps if self.budget and steps else None

    def steps_to(self, target: Goal) -> dict[int, int | None]:
        """Return the steps to the target by seed, None for a miss."""
        return {seed: _steps(run, target) for seed, run in self.trainings.items()}

    def seconds_to(self, target: Goal) -> dict[int, Seconds | None] | None:
        """Return steps x amortised step time by seed; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        return None if step_seconds is None else seconds_to_target(self.steps_to(target), step_seconds)

    def reached(self, target: Goal) -> ReachedTarget | None:
        """Return what a decomposition needs; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        if step_seconds is None:
            return None
        return ReachedTarget(
            steps=self.steps_to(target), step_seconds=step_seconds, clock_seconds=self._clock_seconds(target)
        )

    def missed_share(self, target: Goal) -> float:
        """Return the share of the seeds that missed the target."""
        steps = self.steps_to(target).values()
        return sum(count is None for count in steps) / len(steps) if steps else 0.0

    def _clock_seconds(self, target: Goal) -> dict[int, Seconds]:
        """Return the run's own clock at the hit, for runs that had the machine for themselves.

        The first step holds what is made once, compiled code above all: a first step of a cycle that was timed alone
        stands in its place.
        """
        usual = median(visit.position_seconds[0] for visit in self.visits)
        clocks = {}
        for seed, run in self.trainings.items():
            if run.conditions.jobs == 1 and run.outcome.completed and isinstance(run.measured, Convergence):
                hit = first_hit(run.measured.evaluations, target)
                if hit is not None:
                    first = run.measured.first_step_seconds
                    clocks[seed] = hit.seconds if first is None else hit.seconds - first + usual
        return clocks


def measured_arms(runs: Iterable[Run]) -> tuple[MeasuredArm, ...]:
    """Return every arm of every workload that was timed or trained, sorted by name; once for each of its budgets.

    Two arms of one name but different settings are two arms: runs of different settings are never pooled. Nor are
    runs of two budgets, schedules, numbers of threads or targets; the step times are the same beside each. Runs that
    set a target are left out.
    """
    groups: defaultdict[tuple[str, str, str, str, int], list[Run]] = defaultdict(list)
    for run in counting_runs(runs):
        cell = run.cell
        key = (cell.workload_name, cell.arm, repr(cell.workload), repr(cell.optimizer), cell.ranks)
        if isinstance(cell.measurement, StepTimeSettings | ConvergenceSettings) and not cell.sets_target:
            groups[key].append(run)
    return tuple(arm for _, group in sorted(groups.items()) for arm in _at_each_budget(group))


def _at_each_budget(runs: Sequence[Run]) -> Iterator[MeasuredArm]:
    """Yield the arm at its shortest budget first; once, where it was not trained."""
    timing = _series([run for run in runs if isinstance(run.cell.measurement, StepTimeSettings)])
    timed = max(timing, key=len, default=[])
    num_other = sum(len(one) for one in timing) - len(timed)
    trained = _series([run for run in runs if isinstance(run.cell.measurement, ConvergenceSettings)])
    for series in sorted(trained, key=_budget) or [[]]:
        yield _measured_arm(timed, series, num_other)


def _measured_arm(timed: Sequence[Run], trained: Sequence[Run], num_other_timed: int) -> MeasuredArm:
    cell = (*trained, *timed)[0].cell
    excluded = [*_failures(timed, {"completed"}, "timing"), *_failures(trained, {"completed", "diverged"}, "training")]
    if num_other_timed:
        excluded.append(f"{cell.arm}: {num_other_timed} timing runs with other settings or threads were left out.")
    visits = {
        (run.seed, run.visit.sweep): run.measured
        for run in timed
        if run.outcome.completed and isinstance(run.measured, StepTime) and run.visit and run.visit.sweep > 0
    }
    return MeasuredArm(
        workload_name=cell.workload_name,
        workload=cell.workload,
        ranks=cell.ranks,
        arm=cell.arm,
        optimizer=cell.optimizer,
        budget=cell.measurement if isinstance(cell.measurement, ConvergenceSettings) else None,
        threads=cell.threads,
        target=cell.target,
        visits=tuple(visits.values()),
        step_seconds={sweep: visit.amortised_seconds for sweep, visit in visits.items()},
        trainings={run.seed: run for run in trained if run.outcome.kind in {"completed", "diverged"}},
        excluded=tuple(excluded),
    )


def _series(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs of each measurement, number of threads and target, in order."""
    series: defaultdict[tuple[str, int, str | None], list[Run]] = defaultdict(list)
    for run in runs:
        series[repr(run.cell.measurement), run.cell.threads, run.cell.target].append(run)
    return list(series.values())


def _budget(series: Sequence[Run]) -> int:
    measurement = series[0].cell.measurement
    assert isinstance(measurement, ConvergenceSettings)
    return measurement.steps


def _failures(runs: Sequence[Run], counted: set[str], kind: str) -> list[str]:
    failed = [run.outcome.kind for run in runs if run.outcome.kind not in counted]
    if not failed:
        return []
    kinds = ", ".join(f"{failed.count(outcome)} {outcome}" for outcome in sorted(set(failed)))
    return [f"{runs[0].cell.arm}: {kind} runs excluded: {kinds}."]


def _steps(run: Run, target: Goal) -> int | None:
    if not run.outcome.completed or not isinstance(run.measured, Convergence):
        return None
    return steps_to_target(run.measured.evaluations, target)
