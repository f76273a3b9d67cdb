"""Where the clock of a training run goes, beside the steps that are timed alone."""

from collections.abc import Iterable, Iterator
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, seconds_cell
from evabench.units import Seconds

_LONG_WAIT = 0.1  # of the training clock


def clock_table(workload: WorkloadReport) -> Table | None:
    """Return the training clock of each arm and what of it is no step; None where nothing was trained."""
    arms = [arm for arm in workload.arms if arm.curves]
    if not arms:
        return None
    return Table(
        title=f"The clock of training, {workload.budget_words}",
        headings=("arm", "training clock", "waiting for batches", "first step"),
        rows=tuple(
            (
                arm.name,
                seconds_cell(_median(_whole(arm))),
                _share_cell(_wait_share(arm)),
                seconds_cell(_median(training.first_step_seconds for training in arm.curves)),
            )
            for arm in arms
        ),
        note=(
            "Medians over the seeds that came to the end of the budget; evaluations are not in this clock. First step: "
            "with state, caches and compiled code, which are made once; it is no part of a comparison. Runs that were "
            "made several at once are slower than alone: times to a target come from steps timed alone."
        ),
    )


def clock_warnings(report: Report) -> Iterator[str]:
    """Yield the workloads on which training waited long for its batches: it is the loader that was slow."""
    for workload in report.workloads:
        waits = {arm.name: share for arm in workload.arms if (share := _wait_share(arm)) is not None}
        longest = max(waits, key=lambda name: waits[name], default="")
        if longest and (share := waits[longest]) >= _LONG_WAIT:
            yield f"Training on {workload.name} waited for its batches, {longest} for {share:.0%} of its clock."


def _whole(arm: MeasuredArm) -> Iterator[Seconds]:
    return (training.clock_seconds for training in arm.curves if _ended(training))


def _ended(training: Convergence) -> bool:
    return training.final_validation_loss is not None


def _wait_share(arm: MeasuredArm) -> float | None:
    return _median(training.input_wait_share for training in arm.curves)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _share_cell(share: float | None) -> str:
    return NOT_MEASURED if share is None else f"{share:.1%}"
