"""Where the clock of a training run goes, beside the steps that are timed alone, and where two clocks disagree."""

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.clocks import (
    MAX_DISAGREEMENT,
    TrainingClock,
    ahead_of_the_parent,
    behind_the_parent,
    told_seconds,
    training_clock,
)
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted, seconds_cell
from evabench.units import format_seconds

_MAX_NAMED = 3
_LONG_WAIT = 0.1  # of the training clock


def clock_table(workload: WorkloadReport) -> Table | None:
    """Return the training clock of each arm and what of it is no step; None where nothing was trained."""
    arms = [(arm, training_clock(arm)) for arm in workload.arms if arm.curves]
    if not arms:
        return None
    compared = any(clock is not None and clock.over_timed is not None for _, clock in arms)
    some_left_out = any(clock is not None and clock.num_runs < len(arm.curves) for arm, clock in arms)
    return Table(
        title=f"The clock of training, {workload.budget_words}",
        headings=(
            "arm",
            "training clock",
            *(("clean runs",) if some_left_out else ()),
            *(("its step", "timed alone", "its step / timed") if compared else ()),
            "waiting for batches",
            "first step",
        ),
        rows=tuple(
            (
                arm.name,
                _clock_cell(clock),
                *((_runs_cell(arm, clock),) if some_left_out else ()),
                *(_step_cells(arm, clock) if compared else ()),
                _share_cell(_wait_share(arm)),
                seconds_cell(_median(training.first_step_seconds for training in arm.curves)),
            )
            for arm, clock in arms
        ),
        note=(
            "Medians over the seeds that came to the end of the budget; evaluations are not in this clock. A run that "
            "was disturbed or made beside others is left out, and marked where an arm has no other; so is one made "
            "under other limits (affinity, control groups) than the timed steps. First step: with "
            "state, caches and compiled code, which are made once; it is no part of a comparison. Times to a target "
            "come from steps timed alone."
            + (
                f" Its step: of the clock, without the first step and the waits; more than {MAX_DISAGREEMENT:.0%} from "
                "that timed alone is said above."
            )
            * compared
        ),
    )


def clock_warnings(report: Report) -> Iterator[str]:
    """Yield where training waited long for its batches, and where two clocks of one thing disagree."""
    for workload in report.workloads:
        waits = {arm.name: share for arm in workload.arms if (share := _wait_share(arm)) is not None}
        longest = max(waits, key=lambda name: waits[name], default="")
        if longest and (share := waits[longest]) >= _LONG_WAIT:
            yield f"Training on {workload.name} waited for its batches, {longest} for {share:.0%} of its clock."
        for one in (workload, *workload.other_budgets):
            yield from _disagreement(one)
    ahead = ahead_of_the_parent(report.findings.runs)
    if ahead:
        yield (
            f"The clock of {counted(len(ahead), 'run')} is more than {MAX_DISAGREEMENT:.0%} ahead of the parent's, "
            f"which saw the whole run ({ahead[0].cell.title}, seed {ahead[0].seed}): one of the two is wrong."
        )

    behind = behind_the_parent(report.findings.runs)
    if behind:
        first = behind[0]
        yield (
            f"Set-up, training and evaluations of {counted(len(behind), 'run')} come to over {MAX_DISAGREEMENT:.0%} "
            f"less than the parent saw ({first.cell.title}, seed {first.seed}: {seconds_cell(told_seconds(first))} of "
            f"{seconds_cell(first.conditions.seconds)}): its clock is wrong, or it did something that no clock counts."
        )


def _disagreement(workload: WorkloadReport) -> Iterator[str]:
    """Yield the arms whose step takes longer, or shorter, in training than where it was timed; the worst first."""
    clocks = [(arm, clock) for arm in workload.arms if (clock := training_clock(arm)) is not None and clock.disagrees]
    if not clocks:
        return
    clocks.sort(key=lambda one: -abs(math.log(one[1].over_timed or 1.0)))
    apart = [
        f"{arm.name} {clock.over_timed:.2f}x ({seconds_cell(clock.step_seconds)} against "
        f"{seconds_cell(arm.amortised_seconds)})"
        for arm, clock in clocks
    ]
    more = len(apart) - _MAX_NAMED
    named = ", ".join(apart[:_MAX_NAMED]) + (f" and {counted(more, 'more arm')}" if more > 0 else "")
    yield (
        f"The step of training and the step timed alone differ by more than {MAX_DISAGREEMENT:.0%} on {workload.name} "
        f"in {workload.budget_words}: {named}. {_why(clocks)}"
    )


def _why(clocks: Sequence[tuple[MeasuredArm, TrainingClock]]) -> str:
    marks = dict.fromkeys(mark for _, clock in clocks if not clock.clean for mark in _marks(clock))
    clean = [arm.name for arm, clock in clocks if clock.clean]
    if not marks:
        return "Nothing that was read explains it: times to a target are in doubt."
    unexplained = f" Nothing that was read explains that of {', '.join(clean)}." if clean else ""
    return f"Some of these training runs were {' or '.join(marks)}.{unexplained}"


def _clock_cell(clock: TrainingClock | None) -> str:
    if clock is None:
        return NOT_MEASURED
    marks = "" if clock.clean else f" ({', '.join(_marks(clock))})"
    return f"{format_seconds(clock.seconds)}{marks}"


def _marks(clock: TrainingClock) -> Iterator[str]:
    if clock.num_shared:
        yield f"made {clock.most_jobs} at once"
    if clock.num_disturbed:
        yield "disturbed"


def _runs_cell(arm: MeasuredArm, clock: TrainingClock | None) -> str:
    num_clean = clock.num_runs if clock is not None and clock.clean else 0
    return f"{num_clean} of {len(arm.curves)}"


def _step_cells(arm: MeasuredArm, clock: TrainingClock | None) -> tuple[str, str, str]:
    timed = seconds_cell(arm.amortised_seconds)
    if clock is None:
        return NOT_MEASURED, timed, NOT_MEASURED
    ratio = NOT_MEASURED if clock.over_timed is None else f"{clock.over_timed:.2f}x"
    return seconds_cell(clock.step_seconds), timed, ratio


def _wait_share(arm: MeasuredArm) -> float | None:
    return _median(training.input_wait_share for training in arm.curves)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _share_cell(share: float | None) -> str:
    return NOT_MEASURED if share is None else f"{share:.1%}"
