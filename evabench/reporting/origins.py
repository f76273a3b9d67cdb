"""Where a number comes from: the runs behind a figure, what each of them holds, and the steps in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from evabench.claims.judgement import Judgement
from evabench.errors import EvabenchError
from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings
from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.reporting.cards import card_address
from evabench.reporting.document import Origin
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.sections import sections
from evabench.reporting.tables.memory import peak_parts
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.reporting.tables.verdicts import evidence_table
from evabench.settings.claims import TO_TARGET, TRAINED, Quantity
from evabench.units import format_bytes, format_seconds

_KINDS: dict[Quantity, tuple[str, ...]] = {
    "step_time_ratio": ("step_time",),
    "cost_exponent": ("step_time",),
    "tensor_peak_ratio": ("memory",),
    "curvature_growth": ("memory",),
    "curvature_bytes_ratio": ("memory",),
    "work_growth": ("counts",),
}

_OF_WIDTHS: tuple[Quantity, ...] = ("curvature_growth", "curvature_bytes_ratio", "work_growth", "cost_exponent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What `evabench show --id` prints."""

    address: str
    title: str
    how: str
    runs: tuple[Run, ...]
    tables: tuple[Table, ...]  # the number itself, the arms' figures, and the runs


def find_source(report: Report, wanted: str) -> Source:
    """Return where a figure comes from; "cost.mlp/Eva" is its row of Eva. Raises `EvabenchError` otherwise."""
    address, _, arm = wanted.partition("/")
    known = dict(_origins(report))
    if address not in known:
        raise EvabenchError(f"--id {wanted}: there is no such figure. There are: {', '.join(known)}")
    title, origin, table = known[address]
    arms = origin.arms or tuple(report.suite.arms)
    if arm and arm not in arms:
        raise EvabenchError(f"--id {wanted}: {address} has no such row. It has: {', '.join(arms)}")
    chosen = replace(origin, arms=(arm,) if arm else arms)
    runs = tuple(sorted(_runs(report, chosen), key=_order))
    shown = [_only(table, arm)] if table else []
    made = [*shown, _figures(report, chosen), _run_table(report, runs)]
    return Source(
        address=wanted, title=title, how=origin.how, runs=runs, tables=tuple(one for one in made if one and one.rows)
    )


def _origins(report: Report) -> Iterator[tuple[str, tuple[str, Origin, Table | None]]]:
    for section in sections(report):
        for figure in section.figures:
            table = figure.part if isinstance(figure.part, Table) else None
            yield figure.address, (figure.part.title, figure.origin, table)
    for judgement in report.judgements:
        yield card_address(judgement), (judgement.claim.text, _claimed(judgement), evidence_table(judgement))


def _claimed(judgement: Judgement) -> Origin:
    quantity = judgement.claim.quantity
    trained = ("convergence", "step_time") if quantity in TO_TARGET else ("convergence",)
    of_widths = quantity in _OF_WIDTHS  # their runs have a name for each width
    workloads = set() if of_widths else {one.workload for one in judgement.evidence}
    return Origin(
        kinds=trained if quantity in TRAINED else _KINDS[quantity],
        how=f"{judgement.reason} The interval decides, by the rule of docs/statistics.md.",
        workload=workloads.pop() if len(workloads) == 1 else None,
        arms=tuple(dict.fromkeys(name for one in judgement.evidence for name in (one.arm, one.base))),
    )


def _only(table: Table, arm: str) -> Table:
    """Return a table with one arm's rows, or all of them."""
    return replace(table, rows=tuple(row for row in table.rows if row[0] == arm), note="") if arm else table


def _runs(report: Report, origin: Origin) -> Iterator[Run]:
    for run in report.trials if origin.role == "tuning" else report.runs:
        cell = run.cell
        if origin.kinds and cell.measurement.measurement not in origin.kinds:
            continue
        if origin.workload is not None and cell.workload_name != origin.workload:
            continue
        if cell.arm not in origin.arms or (origin.kinds and cell.role != origin.role):
            continue
        trained = isinstance(cell.measurement, ConvergenceSettings)
        if trained and origin.budget is not None and cell.measurement != origin.budget:
            continue
        yield run


def _order(run: Run) -> tuple[str, str, str, int, int]:
    visit = run.visit.sweep if run.visit else -1
    return run.cell.workload_name, run.cell.arm, run.cell.measurement.measurement, visit, run.seed


def _run_table(report: Report, runs: Sequence[Run]) -> Table:
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


def _figures(report: Report, origin: Origin) -> Table | None:
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
