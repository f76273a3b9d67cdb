"""What timing visits say beside their step times: energy, work beside the step, and sweeps that were made twice."""

from collections.abc import Iterator, Sequence
from math import inf
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.interruptions import KnownVisits
from evabench.records.energy import EnergySource
from evabench.records.run import Run
from evabench.records.side_work import SideWork
from evabench.records.step_time import StepTime
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.convergence import MISSED
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted, seconds_cell
from evabench.units import Joules, format_bytes, format_seconds


def energy_table(workload: WorkloadReport) -> Table | None:
    """Return the energy of a step; None where no counter was readable."""
    arms = [arm for arm in workload.arms if joules_per_step(arm, "cpu") or joules_per_step(arm, "gpu")]
    if not arms:
        return None
    to_target = ("CPU, to target", "GPU, to target") if any(workload.steps_to_target(arm) for arm in arms) else ()
    return Table(
        title="Energy of a step",
        headings=("arm", "CPU", "GPU", *to_target, "counter / integral", "windows"),
        rows=tuple(
            (
                arm.name,
                _joules_cell(joules_per_step(arm, "cpu")),
                _joules_cell(joules_per_step(arm, "gpu")),
                *((_to_target_cell(workload, arm, "cpu"), _to_target_cell(workload, arm, "gpu")) if to_target else ()),
                _agreement(arm),
                counted(sum(visit.energy is not None and visit.energy.num_steps > 0 for visit in arm.visits), "window"),
            )
            for arm in arms
        ),
        note=(
            "Medians over visits, a refresh at its share, from windows of at least 1 s behind the timed steps. Idle "
            "power and other programs are in it. Counter / integral: the counter over the sum of the sampled power; "
            "more than 10 % apart is in doubt."
            + (
                " To target: energy of a step x the median of the steps to it, a miss counting as infinite."
                * bool(to_target)
            )
        ),
    )


def side_work_table(workload: WorkloadReport) -> Table | None:
    """Return what arms did in other threads while their steps were timed; None where none did."""
    found = [(arm, work) for arm in workload.arms if (work := _most_beside(arm)) is not None and work.suspicious]
    if not found:
        return None
    return Table(
        title="Work beside the step",
        headings=("arm", "CPU time a step", "threads", "step"),
        rows=tuple(
            (
                arm.name,
                format_seconds(work.cpu_seconds_per_step),
                NOT_MEASURED if work.num_threads is None else str(work.num_threads),
                seconds_cell(arm.amortised_seconds),
            )
            for arm, work in found
        ),
        note=(
            "CPU time of other threads than the one that trains, in the visit with most of it. The step time holds it "
            "only as far as the step waits for it. Threads: at least so many."
        ),
    )


def tries_table(report: Report) -> Table | None:
    """Return both tries at each sweep that was made twice; None where none was."""
    rows = tuple(_tries(report.runs, report.findings.runs))
    if not rows:
        return None
    return Table(
        title="Sweeps that were made a second time",
        headings=("workload", "sweep", "arm", "first", "second", "counts", "what disturbed the first"),
        text=frozenset({"arm", "counts", "what disturbed the first"}),
        rows=rows,
        note="The one that was disturbed less counts, if it lost no arm; the times take no part in the choice.",
    )


def visit_warnings(report: Report) -> Iterator[str]:
    """Yield what makes the step times of an arm say less than they seem to."""
    for workload in report.workloads:
        for arm in workload.arms:
            yield from (f"{arm.name} on {workload.name}: {sentence}" for sentence in _doubts(arm))


def _doubts(arm: MeasuredArm) -> Iterator[str]:
    lowered = [visit.rate_share for visit in arm.visits if visit.rate_share is not None and visit.rate_share < 1]
    if lowered:
        yield (
            f"its loss diverged where it was timed without a schedule, so that {len(lowered)} of "
            f"{counted(len(arm.visits), 'visit')} had {min(lowered):g} of its learning rate."
        )
    work = _most_beside(arm)
    if work is not None and work.suspicious:
        threads = (
            "other threads" if work.num_threads is None else f"at least {counted(work.num_threads, 'other thread')}"
        )
        yield (
            f"work beside the step, {format_seconds(work.cpu_seconds_per_step)} of CPU time per step in {threads}. "
            "Its step time is not its whole cost."
        )
    if any(visit.host_bound for visit in arm.visits):
        yield "the GPU waited for the host (host-bound): the step is as fast as Python."
    if doubtful := [visit.clock_disagreement for visit in arm.visits if visit.in_doubt and visit.clock_disagreement]:
        most = max(map(abs, doubtful))
        yield f"the GPU's clock and the host's differ by up to {most:.1%}: its step times are in doubt."
    if arm.memory is not None and arm.memory.leaks and arm.memory.leak_bytes_per_step is not None:
        yield f"it keeps {format_bytes(round(arm.memory.leak_bytes_per_step))} more after each step: a leak."


def _most_beside(arm: MeasuredArm) -> SideWork | None:
    found = [visit.side_work for visit in arm.visits if visit.side_work is not None]
    return max(found, key=lambda work: work.cpu_seconds_per_step, default=None)


def joules_per_step(arm: MeasuredArm, source: EnergySource) -> Joules | None:
    """Return the energy of a step, the median over visits; None where no counter of this kind was readable."""
    found = [
        joules for visit in arm.visits if visit.energy and (joules := visit.energy.joules_per_step(source)) is not None
    ]
    return median(found) if found else None


def _to_target_cell(workload: WorkloadReport, arm: MeasuredArm, source: EnergySource) -> str:
    to_target = workload.steps_to_target(arm)
    if not to_target or joules_per_step(arm, source) is None:
        return NOT_MEASURED
    steps = median(inf if one is None else one for one in to_target)
    if steps == inf:
        return MISSED
    found = [visit.energy.joules_to_target(source, steps) for visit in arm.visits if visit.energy]
    return _joules_cell(median(joules for joules in found if joules is not None))


def _joules_cell(joules: Joules | None) -> str:
    if joules is None:
        return NOT_MEASURED
    return f"{joules:.3g} J" if joules >= 1 else f"{1e3 * joules:.3g} mJ"


def _agreement(arm: MeasuredArm) -> str:
    readings = [reading for visit in arm.visits if visit.energy for reading in visit.energy.readings]
    known = [reading.disagreement for reading in readings if reading.disagreement is not None]
    if not known:
        return NOT_MEASURED
    doubt = sum(reading.in_doubt for reading in readings)
    return f"{1 + median(known):.2f}x" + (f" ({doubt} in doubt)" if doubt else "")


def _tries(runs: Sequence[Run], that_count: Sequence[Run]) -> Iterator[tuple[str, ...]]:
    counting = {id(run) for run in that_count}
    firsts = {_place(run): run for run in runs if run.visit and not run.visit.repeated}
    known = KnownVisits(runs)
    for second in runs:
        if second.visit is None or not second.visit.repeated:
            continue
        first = firsts.get(_place(second))
        yield (
            second.cell.workload_name,
            str(second.visit.sweep),
            second.cell.arm,
            _step_cell(first),
            _step_cell(second),
            "second" if id(second) in counting else "first",
            (" ".join(known.disturbances(first)) if first else "") or NOT_MEASURED,
        )


def _place(run: Run) -> tuple[object, ...]:
    cell, visit = run.cell, run.visit
    return cell.workload_name, repr(cell.workload), cell.arm, repr(cell.optimizer), cell.threads, visit and visit.sweep


def _step_cell(run: Run | None) -> str:
    if run is None or not isinstance(run.measured, StepTime):
        return NOT_MEASURED
    return seconds_cell(run.measured.amortised_seconds)
