"""The runs behind a number, and what they come to, value by value."""

from collections.abc import Iterator, Sequence
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.reporting.document import Origin
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.memory import peak_parts
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.units import format_bytes, format_seconds


def run_table(report: Report, runs: Sequence[Run]) -> Table:
    """Return one row per run, with its key and what its line holds."""
    counting = {run.key for run in report.findings.runs} | {run.key for run in report.trials}
    return Table(
        title=counted(len(runs), "run"),
        headings=("key", "arm", "workload", "kind", "seed", "sweep", "outcome", "what its line holds"),
        text=frozenset({"arm", "workload", "kind", "outcome", "what its line holds"}),
        rows=tuple(
            (
                run.key,
                run.cell.arm,
                run.cell.workload_name,
                run.cell.measurement.measurement.replace("_", " "),
                str(run.seed),
                NOT_MEASURED if run.visit is None else str(run.visit.sweep),
                run.outcome.kind.replace("_", " ") + ("" if run.key in counting else ", does not count"),
                _held(run),
            )
            for run in runs
        ),
    )


def _held(run: Run) -> str:
    match run.measured:
        case StepTime() as visit:
            spent, steps = sum(visit.block_seconds), len(visit.step_seconds)
            blocks = counted(len(visit.block_seconds), "block")
            return f"{format_seconds(spent)} in {blocks} of {steps} steps: {format_seconds(spent / steps)} a step"
        case Convergence() as curve:
            end = curve.final_validation_loss
            told = "its end was not reached" if end is None else f"final validation loss {end:.6g}"
            return f"{counted(len(curve.evaluations), 'evaluation')}; {told}"
        case Memory() as memory:
            state = format_bytes(memory.curvature_state_bytes)
            return f"peak {format_bytes(memory.peak.total)} ({memory.peak.total} B), curvature state {state}"
        case None:
            return run.outcome.reason or NOT_MEASURED
        case other:
            return f"a record of {type(other).__name__}"


def figures_table(report: Report, origin: Origin) -> Table | None:
    """Return what the runs of each arm come to, value by value."""
    rows = []
    for workload in report.workloads:
        for one in (workload, *workload.other_budgets):
            if origin.workload not in (None, one.name) or origin.budget not in (None, one.budget):
                continue
            several = f"{one.name}: " if len(report.workloads) > 1 else ""
            for arm in one.arms:
                if arm.name in origin.arms:
                    rows += [(f"{several}{arm.name}", *words) for words in _arm_figures(one, arm, origin.kinds)]
    return Table(
        title="From these runs to each arm's figures",
        headings=("arm", "figure", "of the values", "comes to"),
        text=frozenset({"figure", "of the values", "comes to"}),
        rows=tuple(dict.fromkeys(rows)),
    )


def _arm_figures(workload: WorkloadReport, arm: MeasuredArm, kinds: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    if "step_time" in kinds and arm.amortised_seconds is not None:
        visits = ", ".join(format_seconds(seconds) for seconds in arm.step_seconds.values())
        yield "step, by sweep", visits, f"{format_seconds(arm.amortised_seconds)} (trimmed geometric mean)"
        ratio = workload.step_over_reference.get(arm.name)
        if ratio is not None:
            logs = ", ".join(f"{log:+.4f}" for log in ratio.log_ratios)
            yield (
                f"log ratio to {workload.reference}, by pair",
                logs,
                f"{ratio.estimate:.4f}x (exp of the trimmed mean)",
            )
    if "convergence" in kinds and arm.trainings:
        known = [loss for loss in arm.final_losses if loss is not None]
        losses = ", ".join(NOT_MEASURED if loss is None else f"{loss:.5g}" for loss in arm.final_losses)
        yield "final loss, by seed", losses, f"{median(known):.5g} (median)" if known else NOT_MEASURED
        steps = workload.steps_to_target(arm)
        if steps:
            told = ["missed" if count is None else str(count) for count in steps]
            middle = median(float("inf") if count is None else count for count in steps)
            yield "steps to target, by seed", ", ".join(told), f"{middle:g} (median; a miss is infinite)"
    if "memory" in kinds and arm.memory is not None:
        parts = [f"{name} {size}" for name, size in peak_parts(arm.memory.peak) if size]
        yield "peak, B", " + ".join(parts), format_bytes(arm.memory.peak.total)
