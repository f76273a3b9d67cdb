"""What a step costs in time, as tables."""

from collections.abc import Mapping
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.costs import CostFamily
from evabench.findings.work import WorkFamily
from evabench.records.phases import PHASES
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted, seconds_cell
from evabench.stats.paired import PairedRatio
from evabench.stats.power_law import CONSTANT_WIDTH
from evabench.stats.widths import ExactDegree
from evabench.units import format_bytes, format_digits, format_interval, format_ratio, format_seconds

MIN_PAIRS = 6  # below it an interval is not shown


def cost_table(workload: WorkloadReport) -> Table | None:
    """Return what a step of each arm costs, in time and memory, as far as measured; None where neither was."""
    timed = any(arm.visits for arm in workload.arms)
    counted_bytes = any(arm.memory for arm in workload.arms)
    if not timed and not counted_bytes:
        return None
    over = tuple(f"step / {name} [95 %]" for name, _ in _bases(workload))
    times = ("step", *over) if timed else ()
    sizes = ("peak", "curvature state") if counted_bytes else ()
    return Table(
        title="Cost of a step",
        headings=("arm", *times, *sizes),
        rows=tuple(
            (
                arm.name,
                *(_times(workload, arm) if timed else ()),
                *(_sizes(arm) if counted_bytes else ()),
            )
            for arm in workload.arms
        ),
        note=" ".join(
            (
                *((_ABOUT_TIMES,) if timed else ()),
                *((_ratio_words(workload.num_pairs),) if timed and over else ()),
                *((_ABOUT_SIZES,) if counted_bytes else ()),
            )
        ),
    )


_ABOUT_TIMES = "Step: wall time with its share of a refresh, over whole refresh cycles."
_ABOUT_SIZES = (
    "Peak: all live tensors at the worst moment of a step. "
    "Curvature state: what the optimizer keeps beyond the momentum."
)


def _ratio_words(num_pairs: int) -> str:
    if num_pairs == 1:
        return "Ratio: of the one pair of visits, which says nothing about its error."
    few = f", too few for an interval (it takes {MIN_PAIRS})" if num_pairs < MIN_PAIRS else ""
    return f"Ratio: trimmed mean of the log ratios of up to {num_pairs} pairs of visits{few}."


def _times(workload: WorkloadReport, arm: MeasuredArm) -> tuple[str, ...]:
    ratios = (_ratio(over.get(arm.name), is_reference=arm.name == name) for name, over in _bases(workload))
    return seconds_cell(arm.amortised_seconds), *ratios


def _bases(workload: WorkloadReport) -> list[tuple[str, Mapping[str, PairedRatio]]]:
    """Return the arms whose step is 1, with the ratios of the others: SGD, by both kernels where both are there."""
    bases = (
        (workload.reference, workload.step_over_reference),
        (workload.other_kernel, workload.step_over_other_kernel),
    )
    return [(name, over) for name, over in bases if name is not None]


def _sizes(arm: MeasuredArm) -> tuple[str, str]:
    if arm.memory is None:
        return NOT_MEASURED, NOT_MEASURED
    return format_bytes(arm.memory.peak.total), format_bytes(arm.memory.curvature_state_bytes)


def step_table(workload: WorkloadReport) -> Table | None:
    """Return the parts of the refresh cycle; None where nothing was timed."""
    arms = [arm for arm in workload.arms if arm.visits]
    if not arms:
        return None
    awaited = any(arm.latency_seconds is not None for arm in arms)
    piloted = any(arm.first_step_seconds is not None for arm in arms)
    return Table(
        title="Inside the refresh cycle",
        headings=(
            "arm",
            "cycle",
            "plain step",
            "slowest position",
            "99 % are below",
            *(("latency",) if awaited else ()),
            *(("first step",) if piloted else ()),
            "steps timed",
        ),
        rows=tuple(
            (
                arm.name,
                counted(arm.visits[0].cycle_steps, "step"),
                seconds_cell(arm.plain_seconds),
                seconds_cell(arm.slowest_seconds),
                seconds_cell(arm.p99_seconds),
                *((seconds_cell(arm.latency_seconds),) if awaited else ()),
                *((seconds_cell(arm.first_step_seconds),) if piloted else ()),
                f"{arm.num_steps} in {counted(len(arm.visits), 'visit')}",
            )
            for arm in arms
        ),
        note=(
            "Plain: the median of the steps that do not refresh. Slowest position: the median of the steps at the "
            "most expensive place of the cycle, which is the refresh where there is one."
            + (" Latency: the median step with the device awaited behind it." if awaited else "")
            + (" First step: the pilot's, with state, caches and compiled code; in no other figure." if piloted else "")
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
                *(seconds_cell(parts.get(name)) for name in names),
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


def work_table(family: WorkFamily) -> Table:
    """Return how the counted work of each arm's own operators grows."""
    known = {_where(one) for arm in family.arms for one in (arm.flops_degree, arm.bytes_degree) if one}
    everywhere = known.pop() if len(known) == 1 else ""

    def degree(found: ExactDegree | None) -> str:
        if found is None:
            return "no polynomial"
        return f"d^{found.degree}" if everywhere else f"d^{found.degree}, at {_where(found)}"

    at = f" at {everywhere}" if everywhere else ""
    return Table(
        title=f"The work of an optimizer's own operators against the width d: {family.name}",
        headings=("arm", "flops", "bytes moved"),
        rows=tuple((arm.arm, degree(arm.flops_degree), degree(arm.bytes_degree)) for arm in family.arms),
        note=(
            f"Counted over one refresh cycle{at}: hooks, refresh, preconditioning and update, without both passes. The "
            "degree is that of the exact polynomial on which the longest run of neighbouring widths lies: a code may "
            "take another path at another size. Linear algebra counts by formulas (Cholesky d^3 / 3, eigenvectors "
            "9 d^3). 2 is linear in the parameters."
        ),
        text=frozenset({"flops", "bytes moved"}),
    )


def _where(found: ExactDegree) -> str:
    return f"{len(found.widths)} widths from {found.widths[0]} to {found.widths[-1]}"


def scaling_table(family: CostFamily) -> Table:
    """Return what each arm's own work costs at each width, and how it grows."""
    widths = sorted({width for arm in family.arms for width in arm.costs})
    rows = []
    for arm in family.arms:
        law = arm.law
        costs = [
            format_digits(1e3 * arm.costs[width].estimate) if width in arm.costs else NOT_MEASURED for width in widths
        ]
        exponent = format_interval(law.exponent, law.interval.low, law.interval.high) if law else NOT_MEASURED
        rows.append((arm.arm, *costs, exponent))
    return Table(
        title=f"A step less that of SGD, in ms, against the width d: {family.name}",
        headings=("arm", *(f"d = {width}" for width in widths), "exponent [95 %]"),
        rows=tuple(rows),
        note=(
            "Trimmed means of the differences within a sweep, a refresh at its share. The exponent is p of "
            f"c0 + c1 d^p, with c0 as it is measured at d = {CONSTANT_WIDTH}; every width counts by its error. "
            "2 is linear in the parameters."
        ),
    )


def _ratio(ratio: PairedRatio | None, *, is_reference: bool) -> str:
    if is_reference:
        return "1"
    return NOT_MEASURED if ratio is None else ratio_cell(ratio)


def ratio_cell(ratio: PairedRatio) -> str:
    """Return "1.13x [0.83, 1.53]", or the estimate alone with the reason why it has no interval."""
    if ratio.num_pairs < MIN_PAIRS:
        return f"{ratio.estimate:.2f}x ({counted(ratio.num_pairs, 'pair')}: no interval)"
    return format_ratio(ratio.estimate, ratio.low, ratio.high)
