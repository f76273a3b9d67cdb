"""A report as tables of plain text, which the terminal, Markdown and HTML show alike. Cells are untrusted text."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import TypeVar

from evabench.claims.curvature import WidthFamily
from evabench.records.memory import PeakBytes
from evabench.records.phases import PHASES
from evabench.records.run import Run
from evabench.reporting.report import ArmReport, Report, WorkloadReport
from evabench.stats.paired import PairedRatio
from evabench.units import Bytes, Seconds, format_bytes, format_ratio, format_seconds

V = TypeVar("V")

NOT_MEASURED = "-"
MISSED = "missed"
MIN_PAIRS = 6  # below it an interval is not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; the first column names what the others are about."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""  # how to read it, in a sentence or two
    text: frozenset[str] = frozenset()  # headings, besides the first, of columns of words: these begin at the left


def cost_table(workload: WorkloadReport) -> Table:
    """Return what a step of each arm costs, in time and memory."""
    over = f"step / {workload.reference} [95 %]" if workload.reference else "ratio"
    return Table(
        title="Cost of a step",
        headings=("arm", "step", over, "peak", "curvature state"),
        rows=tuple(
            (
                arm.name,
                _seconds(arm.amortised_seconds),
                _ratio(arm.step_over_reference, is_reference=arm.name == workload.reference),
                format_bytes(arm.memory.peak.total) if arm.memory else NOT_MEASURED,
                format_bytes(arm.memory.curvature_state_bytes) if arm.memory else NOT_MEASURED,
            )
            for arm in workload.arms
        ),
        note=(
            "Step: wall time with its share of a refresh, over whole refresh cycles. Ratio: trimmed mean of the log "
            f"ratios of up to {workload.num_pairs} pairs of visits. Peak: all live tensors at the worst moment of a "
            "step. Curvature state: what the optimizer keeps beyond the momentum."
        ),
    )


def step_table(workload: WorkloadReport) -> Table | None:
    """Return the parts of the refresh cycle; None where nothing was timed."""
    arms = [arm for arm in workload.arms if arm.visits]
    if not arms:
        return None
    return Table(
        title="Inside the refresh cycle",
        headings=("arm", "cycle", "plain step", "slowest position", "99 % are below", "steps timed"),
        rows=tuple(
            (
                arm.name,
                _count(arm.visits[0].cycle_steps, "step"),
                _seconds(arm.plain_seconds),
                _seconds(arm.slowest_seconds),
                _seconds(arm.p99_seconds),
                f"{arm.num_steps} in {_count(len(arm.visits), 'visit')}",
            )
            for arm in arms
        ),
        note=(
            "Plain: the median of the steps that do not refresh. Slowest position: the median of the steps at the "
            "most expensive place of the cycle, which is the refresh where there is one."
        ),
    )


def phases_table(workload: WorkloadReport) -> Table | None:
    """Return the parts of a step; None where they were not measured."""
    arms = [(arm, arm.phases) for arm in workload.arms if arm.phases]
    if not arms:
        return None
    amortised = [phases.amortised for _, phases in arms]
    names = [name for name in PHASES if any(name in parts for parts in amortised)]
    return Table(
        title="Where a step goes",
        headings=("arm", *names, "sum", "marked / plain"),
        rows=tuple(
            (
                arm.name,
                *(_seconds(parts.get(name)) for name in names),
                format_seconds(sum(parts.values())),
                f"{median(phases.marked_over_plain):.2f}x",
            )
            for (arm, phases), parts in zip(arms, amortised, strict=True)
        ),
        note=(
            "Exclusive parts, a refresh at its share, from a run of its own. Marked / plain: what the marks themselves "
            "cost, the median over pairs of cycles."
        ),
    )


def health_table(workload: WorkloadReport) -> Table | None:
    """Return what the optimizers say of themselves; None where none does."""
    arms = [arm for arm in workload.arms if arm.healths]
    if not arms:
        return None
    return Table(
        title="Numerical health",
        headings=("arm", "preconditioned", "more damping", "failed", "steps skipped", "layers without statistics"),
        rows=tuple(
            (
                arm.name,
                NOT_MEASURED if arm.preconditioned_share is None else f"{arm.preconditioned_share:.1%}",
                str(sum(health.num_escalations for health in arm.healths)),
                str(sum(health.num_failures for health in arm.healths)),
                str(sum(max(health.skipped_steps.values(), default=0) for health in arm.healths)),
                ", ".join(dict.fromkeys(name for one in arm.healths for name in one.layers_without_statistics))
                or "none",
            )
            for arm in arms
        ),
        note=(
            "Over all runs of the arm. Preconditioned: share of the trained parameters. More damping: factorisations "
            "that needed more than the settings ask for. Failed: that failed even so, and reused the previous root."
        ),
        text=frozenset({"layers without statistics"}),
    )


def convergence_table(workload: WorkloadReport) -> Table | None:
    """Return where each arm ends and when it reaches the target; None where nothing was trained."""
    arms = [arm for arm in workload.arms if arm.trainings]
    if not arms:
        return None
    target = workload.target
    to_target = ("steps to target", "time to target") if target else ()
    note = (
        f"Losses at the end of the budget: the median of {_count(workload.num_seeds, 'seed')}, each with the same "
        "initial weights and batches for every arm."
    )
    if target:
        note += (
            f" Target: validation loss {target.value:g} at two evaluations in a row; {target.provenance}."
            " Time: steps x step time; one point a seed."
        )
    return Table(
        title="Convergence",
        headings=("arm", "val. loss", "test loss", *to_target),
        rows=tuple(_convergence_row(arm, has_target=target is not None) for arm in arms),
        note=note,
        text=frozenset(to_target),
    )


def memory_table(workload: WorkloadReport) -> Table | None:
    """Return the peak by what it was; None where memory was not measured."""
    arms = [(arm, arm.memory) for arm in workload.arms if arm.memory]
    if not arms:
        return None
    return Table(
        title="Memory at the peak of a step, by what it is",
        headings=("arm", *(words for words, _ in peak_parts(arms[0][1].peak)), "sum"),
        rows=tuple(
            (arm.name, *(format_bytes(part) for _, part in peak_parts(memory.peak)), format_bytes(memory.peak.total))
            for arm, memory in arms
        ),
        note="Bytes of live tensors, counted exactly. Statistics: what the optimizer keeps beyond the momentum.",
    )


def allocation_table(workload: WorkloadReport) -> Table | None:
    """Return the peak beside what the allocator and the process had; None where memory was not measured."""
    arms = [(arm, arm.memory) for arm in workload.arms if arm.memory]
    if not arms:
        return None
    return Table(
        title="Where the peak is, and what stands beside it",
        headings=("arm", "tensors", "workspace", "allocator", "process (RSS)", "reached in"),
        rows=tuple(
            (
                arm.name,
                format_bytes(memory.peak.total),
                _bytes(memory.workspace_bytes),
                _bytes(memory.allocator_peak_bytes),
                _bytes(memory.rss_high_water_bytes),
                memory.peak_phase + (f", layer {memory.peak_layer}" if memory.peak_layer else ""),
            )
            for arm, memory in arms
        ),
        note=(
            "Workspace: what the operator at the allocator's peak took inside itself. Allocator: torch's own, over the "
            "same step; tensors and workspace together should be the same. The process holds the interpreter, torch "
            "and the libraries' own memory besides."
        ),
        text=frozenset({"reached in"}),
    )


def peak_parts(peak: PeakBytes) -> tuple[tuple[str, int], ...]:
    """Return the categories of a peak, in words, in the order of every table and picture."""
    return tuple((name.replace("_", " "), size) for name, size in asdict(peak).items())


def growth_table(family: WidthFamily) -> Table:
    """Return the curvature state of one net at several widths."""
    widths = sorted({width for arm in family.arms for width in arm.curvature_bytes})
    rows = []
    for arm in family.arms:
        sizes, polynomial = arm.curvature_bytes, arm.polynomial
        term = polynomial.has_quadratic_term if polynomial else None
        rows.append(
            (
                arm.arm,
                *(format_bytes(sizes[width]) if width in sizes else NOT_MEASURED for width in widths),
                NOT_MEASURED if term is None else "yes" if term else "no",
            )
        )
    return Table(
        title=f"Curvature state against the width d: {family.name}",
        headings=("arm", *(f"d = {width}" for width in widths), "grows with d^2"),
        rows=tuple(rows),
        note="d is the first hidden width; the others are in proportion. The last column is exact, not a fit.",
    )


def settings_table(report: Report) -> Table:
    """Return every arm's settings as they ran."""
    return Table(
        title="Settings",
        headings=("arm", "optimizer", "settings"),
        text=frozenset({"optimizer", "settings"}),
        rows=tuple(
            (
                name,
                settings.title,
                ", ".join(f"{key} {value}" for key, value in asdict(settings).items() if key != "optimizer"),
            )
            for name, settings in report.suite.arms.items()
        ),
    )


def host_table(report: Report) -> Table:
    """Return what the machine is and which code was measured."""
    host, code = report.host, report.code
    limits = [format_bytes(host.memory_limit_bytes)] if host.memory_limit_bytes is not None else []
    limits += [f"{host.cpu_limit:g} CPUs"] if host.cpu_limit is not None else []
    commit = f", commit {code.commit[:12]}" if code.commit else ""
    commits = {run.code.commit for run in report.runs}
    if len(commits) > 1:
        commit = f", {len(commits)} commits with the same measured sources"
    rows = [
        ("host", host.id),
        ("processor", f"{host.cpu}, {host.num_cpus} usable"),
        ("memory", format_bytes(host.memory_bytes)),
        ("limits of the control group", ", ".join(limits) or "none"),
        ("GPU", ", ".join(host.gpus) or "none"),
        ("system", f"{host.system}, Python {host.python}"),
        ("packages", ", ".join(f"{name} {version}" for name, version in host.packages.items())),
        ("evabench", f"{code.version}{commit}{', with uncommitted changes' if code.dirty else ''}"),
        ("measured", f"{report.period[0]} to {report.period[1]}"),
    ]
    return Table(title="Host and code", headings=("what", "value"), rows=tuple(rows), text=frozenset({"value"}))


def conditions_table(report: Report) -> Table:
    """Return what the machine was doing, by kind of run: the median and the worst."""
    kinds: dict[str, list[Run]] = {}
    for run in report.runs:
        kinds.setdefault(run.cell.measurement.measurement, []).append(run)
    return Table(
        title="Conditions",
        headings=("runs", "number", "at once", "threads", "load at start", "stolen time", "foreign load"),
        rows=tuple(
            (
                kind.replace("_", " "),
                str(len(runs)),
                _span(str(run.conditions.jobs) for run in runs),
                _span(str(run.conditions.threads) for run in runs if run.conditions.threads is not None),
                _spread([run.conditions.load_1min for run in runs], "{:.1f}"),
                _spread([run.conditions.steal_share for run in runs], "{:.1%}"),
                _spread([run.conditions.foreign_cpu_share for run in runs], "{:.0%}"),
            )
            for kind, runs in kinds.items()
        ),
        note="Load, stolen time and foreign load: median, and the worst run in brackets.",
    )


def unfinished_table(report: Report) -> Table | None:
    """Return the runs that did not complete; None where all did."""
    if not report.unfinished:
        return None
    return Table(
        title="Runs that did not complete",
        headings=("run", "seed", "outcome", "reason"),
        text=frozenset({"outcome", "reason"}),
        rows=tuple(
            (run.cell.title, str(run.seed), run.outcome.kind.replace("_", " "), run.outcome.reason or NOT_MEASURED)
            for run in report.unfinished
        ),
    )


def _convergence_row(arm: ArmReport, *, has_target: bool) -> tuple[str, ...]:
    row = [arm.name, _median(arm.final_losses), _median(arm.test_losses)]
    if has_target:
        row.append(_points(arm.steps_to_target, str))
        row.append(_points(arm.seconds_to_target, format_seconds))
    return tuple(row)


def _points(values: Sequence[V | None], words: Callable[[V], str]) -> str:
    if len(values) > 1 and all(value is None for value in values):
        return f"{MISSED} by all {len(values)}"
    return ", ".join(MISSED if value is None else words(value) for value in values) or NOT_MEASURED


def _median(losses: Sequence[float | None]) -> str:
    finite = [loss for loss in losses if loss is not None]
    if not losses:
        return NOT_MEASURED
    lost = len(losses) - len(finite)
    middle = f"{median(finite):.4f}" if finite else "none"
    return f"{middle} ({lost} of {len(losses)} diverged)" if lost else middle


def _ratio(ratio: PairedRatio | None, *, is_reference: bool) -> str:
    if is_reference:
        return "1"
    if ratio is None:
        return NOT_MEASURED
    if ratio.num_pairs < MIN_PAIRS:
        return f"{ratio.estimate:.2f}x ({_count(ratio.num_pairs, 'pair')}: no interval)"
    return format_ratio(ratio.estimate, ratio.low, ratio.high)


def _bytes(num_bytes: Bytes | None) -> str:
    return NOT_MEASURED if num_bytes is None else format_bytes(num_bytes)


def _seconds(seconds: Seconds | None) -> str:
    return NOT_MEASURED if seconds is None else format_seconds(seconds)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _span(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words))) or NOT_MEASURED


def _spread(values: Sequence[float | None], pattern: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOT_MEASURED
    return f"{pattern.format(median(known))} ({pattern.format(max(known))})"
