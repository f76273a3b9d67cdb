"""Runs -> arms: everything that was measured of one optimizer on one workload, together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from evabench.findings.arm import MeasuredArm
from evabench.findings.equal_conditions import with_equal_conditions_checked
from evabench.findings.repeats import counting_runs
from evabench.records.limits import Limits
from evabench.records.measurement import ConvergenceSettings, MechanismSettings, StepTimeSettings
from evabench.records.rate import Rate
from evabench.records.run import Run
from evabench.records.step_time import StepTime, WarmUp
from evabench.stats.rates import BestRate, Fall, best_rate

Record = TypeVar("Record")


def measured_arms(runs: Iterable[Run]) -> tuple[MeasuredArm, ...]:
    """Return every arm of every workload, sorted by name; once for each of its budgets.

    Two arms of one name but different settings are two arms: runs of different settings are never pooled. Nor are
    runs of two budgets, schedules, numbers of threads or targets; the step times are the same beside each. Runs that
    set a target are left out.
    """
    groups: defaultdict[tuple[str, str, str, str, int, str], list[Run]] = defaultdict(list)
    for run in counting_runs(runs):
        cell = run.cell
        if cell.role == "judged":
            where = f"{cell.device} {cell.subnormals} {cell.process_group}"
            key = (cell.workload_name, cell.arm, repr(cell.workload), repr(cell.optimizer), cell.ranks, where)
            groups[key].append(run)
    return with_equal_conditions_checked(arm for _, group in sorted(groups.items()) for arm in _at_each_budget(group))


def _at_each_budget(runs: Sequence[Run]) -> Iterator[MeasuredArm]:
    """Yield the arm at its shortest budget first; once, where it was not trained."""
    timing = _timing_series([run for run in runs if isinstance(run.cell.measurement, StepTimeSettings)])
    timed = max(timing, key=len, default=[])
    num_other = sum(len(one) for one in timing) - len(timed)
    trained = _series([run for run in runs if isinstance(run.cell.measurement, ConvergenceSettings)])
    for series in sorted(trained, key=_budget) or [[]]:
        yield _measured_arm(runs, timed, series, num_other)


def _measured_arm(
    every: Sequence[Run], timed: Sequence[Run], trained: Sequence[Run], num_other_timed: int
) -> MeasuredArm:
    cell = (*trained, *timed, *every)[0].cell
    excluded = [*_failures(timed, {"completed"}, "timing")]
    if num_other_timed:
        what = f"{num_other_timed} timing runs with other settings, threads or limits"
        excluded.append(f"{cell.arm}: {what} were left out.")
    visits, visited = {}, {}
    for run in timed:
        if run.outcome.completed and isinstance(run.measured, StepTime) and run.visit and run.visit.sweep > 0:
            sweep = (run.seed, run.visit.sweep, run.conditions.limits)
            visits[sweep], visited[sweep] = run.measured, (run.visit.sweep, run.visit.position)
    return MeasuredArm(
        workload_name=cell.workload_name,
        workload=cell.workload,
        ranks=cell.ranks,
        name=cell.arm,
        optimizer=cell.optimizer,
        budget=cell.measurement if isinstance(cell.measurement, ConvergenceSettings) else None,
        threads=cell.threads,
        device=cell.device,
        target=cell.target,
        visits=tuple(visits.values()),
        step_seconds={sweep: visit.amortised_seconds for sweep, visit in visits.items()},
        visited=visited,
        trainings={run.seed: run for run in trained},
        excluded=tuple(excluded),
        first_step_seconds=next((one.first_step_seconds for one in _measured(every, WarmUp)), None),
        records=tuple(run.measured for run in sorted(every, key=lambda run: run.seed) if run.measured),
        healths=tuple(run.health for run in every if run.health),
        preconditioned_share=next((share for run in every if (share := run.preconditioned_share) is not None), None),
        probed_by=next((asked for run in every if isinstance(asked := run.cell.measurement, MechanismSettings)), None),
        has_rates=any(_measured(every, Rate)),
        best_rate=_best_rate(every),
    )


def _measured(runs: Iterable[Run], kind: type[Record]) -> Iterator[Record]:
    return (run.measured for run in runs if isinstance(run.measured, kind))


def _best_rate(runs: Sequence[Run]) -> BestRate | None:
    grids = {
        run.seed: {trial.multiple: Fall(steps=trial.steps, excess=trial.excess) for trial in run.measured.trials}
        for run in runs
        if isinstance(run.measured, Rate)
    }
    return best_rate(grids) if grids else None


def _series(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs of each measurement, number of threads and target, in order."""
    series: defaultdict[tuple[str, int, str | None], list[Run]] = defaultdict(list)
    for run in runs:
        series[repr(run.cell.measurement), run.cell.threads, run.cell.target].append(run)
    return list(series.values())


def _timing_series(runs: Sequence[Run]) -> list[list[Run]]:
    """Return those series in parts that had the same limits: what a CPU gives depends on them."""
    parts: list[list[Run]] = []
    for series in _series(runs):
        by_limits: defaultdict[Limits | None, list[Run]] = defaultdict(list)
        for run in series:
            by_limits[run.conditions.limits].append(run)
        parts += by_limits.values()
    return parts


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
