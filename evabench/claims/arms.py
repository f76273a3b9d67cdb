"""What the runs say about each arm of each workload: its step times, and its steps to a target.

Only runs that completed count as step times. Of the training runs, one that diverged is a miss: it stays at risk
until the end of its budget and never gets there. A run that crashed, was killed, ran out of memory or of time says
nothing about the optimizer; it is excluded, and counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.settings.measurement import ConvergenceSettings, StepTimeSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.decomposition import ReachedTarget
from evabench.stats.repeats import counting_runs
from evabench.stats.time_to_target import first_hit, seconds_to_target, steps_to_target
from evabench.stats.trimmed import trimmed_geometric_mean
from evabench.units import Seconds

Sweep = tuple[int, int]  # seed and number: two series may both have a third sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredArm:
    """One arm on one workload, with the runs that count."""

    workload_name: str
    workload: WorkloadSettings
    ranks: int
    arm: str
    optimizer: OptimizerSettings
    step_seconds: Mapping[Sweep, Seconds]  # amortised, of each visit; the pilot is not one
    trainings: Mapping[int, Run]  # by seed: completed or diverged
    excluded: tuple[str, ...]  # sentences about the runs that do not count

    @property
    def amortised_seconds(self) -> Seconds | None:
        """Return one figure for the step time: the trimmed geometric mean of the visits; None where not timed.

        It is made like the ratio of two arms, from which it differs only where the two trim different sweeps.
        """
        return trimmed_geometric_mean(tuple(self.step_seconds.values())) if self.step_seconds else None

    @property
    def epochs(self) -> float | None:
        """Return the budget in passes over the training set; None without training or a length of a pass."""
        for run in self.trainings.values():
            assert isinstance(run.cell.measurement, ConvergenceSettings)
            steps = self.workload.steps_an_epoch
            return run.cell.measurement.steps / steps if steps else None
        return None

    def steps_to(self, target: float) -> dict[int, int | None]:
        """Return the steps to the target by seed, None for a miss."""
        return {seed: _steps(run, target) for seed, run in self.trainings.items()}

    def seconds_to(self, target: float) -> dict[int, Seconds | None] | None:
        """Return steps x amortised step time by seed; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        return None if step_seconds is None else seconds_to_target(self.steps_to(target), step_seconds)

    def reached(self, target: float) -> ReachedTarget | None:
        """Return what a decomposition needs; None where the arm was not timed."""
        step_seconds = self.amortised_seconds
        if step_seconds is None:
            return None
        return ReachedTarget(
            steps=self.steps_to(target), step_seconds=step_seconds, clock_seconds=self._clock_seconds(target)
        )

    def missed_share(self, target: float) -> float:
        """Return the share of the seeds that missed the target."""
        steps = self.steps_to(target).values()
        return sum(count is None for count in steps) / len(steps) if steps else 0.0

    def _clock_seconds(self, target: float) -> dict[int, Seconds]:
        """Return the run's own clock at the hit, for runs that had the machine for themselves."""
        clocks = {}
        for seed, run in self.trainings.items():
            if run.conditions.jobs == 1 and run.outcome.completed and isinstance(run.measured, Convergence):
                hit = first_hit(run.measured.evaluations, target)
                if hit is not None:
                    clocks[seed] = hit.seconds
        return clocks


def measured_arms(runs: Iterable[Run]) -> tuple[MeasuredArm, ...]:
    """Return every arm of every workload that was timed or trained, sorted by name.

    Two arms of one name but different settings are two arms: runs of different settings are never pooled.
    """
    groups: defaultdict[tuple[str, str, str, str, int], list[Run]] = defaultdict(list)
    for run in counting_runs(runs):
        cell = run.cell
        key = (cell.workload_name, cell.arm, repr(cell.workload), repr(cell.optimizer), cell.ranks)
        if isinstance(cell.measurement, StepTimeSettings | ConvergenceSettings):
            groups[key].append(run)
    return tuple(_measured_arm(group) for _, group in sorted(groups.items()))


def _measured_arm(runs: Sequence[Run]) -> MeasuredArm:
    cell = runs[0].cell
    timed, other_timed = _largest_series([run for run in runs if isinstance(run.cell.measurement, StepTimeSettings)])
    trained, other = _largest_series([run for run in runs if isinstance(run.cell.measurement, ConvergenceSettings)])
    excluded = [*_failures(timed, {"completed"}, "timing"), *_failures(trained, {"completed", "diverged"}, "training")]
    if other_timed or other:
        excluded.append(
            f"{cell.arm}: {other_timed + other} runs of another budget or another number of threads were left out."
        )
    step_seconds = {
        (run.seed, run.visit.sweep): run.measured.amortised_seconds
        for run in timed
        if run.outcome.completed and isinstance(run.measured, StepTime) and run.visit and run.visit.sweep > 0
    }
    return MeasuredArm(
        workload_name=cell.workload_name,
        workload=cell.workload,
        ranks=cell.ranks,
        arm=cell.arm,
        optimizer=cell.optimizer,
        step_seconds=step_seconds,
        trainings={run.seed: run for run in trained if run.outcome.kind in {"completed", "diverged"}},
        excluded=tuple(excluded),
    )


def _largest_series(runs: Sequence[Run]) -> tuple[list[Run], int]:
    """Return the runs of the cell that has most of them (of equals, the one with the longest budget), and the rest."""
    series: defaultdict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        series[repr(run.cell.measurement), run.cell.threads].append(run)
    if not series:
        return [], 0
    largest = max(series.values(), key=lambda one: (len(one), _budget(one[0])))
    return largest, len(runs) - len(largest)


def _budget(run: Run) -> int:
    return run.cell.measurement.steps if isinstance(run.cell.measurement, ConvergenceSettings) else 0


def _failures(runs: Sequence[Run], counted: set[str], kind: str) -> list[str]:
    failed = [run.outcome.kind for run in runs if run.outcome.kind not in counted]
    if not failed:
        return []
    kinds = ", ".join(f"{failed.count(outcome)} {outcome}" for outcome in sorted(set(failed)))
    return [f"{runs[0].cell.arm}: {kind} runs excluded: {kinds}."]


def _steps(run: Run, target: float) -> int | None:
    if not run.outcome.completed or not isinstance(run.measured, Convergence):
        return None
    return steps_to_target(run.measured.evaluations, target)
