"""What a step costs, as charts: its time against the reference, and its phases."""

from evabench.records.phases import PHASES
from evabench.reporting.charts.chart import Bar, Bars, Look, Mark, Row, Rows
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.cost import MIN_PAIRS, ratio_cell
from evabench.units import format_seconds


def step_time_chart(workload: WorkloadReport, looks: dict[str, Look]) -> Rows | None:
    """Return each arm's step over the reference's; None where there is nothing to compare."""
    ratios = workload.step_over_reference
    rows = tuple(
        Row(
            arm=arm.name,
            look=looks[arm.name],
            estimate=ratio.estimate,
            low=ratio.low if ratio.num_pairs >= MIN_PAIRS else None,
            high=ratio.high if ratio.num_pairs >= MIN_PAIRS else None,
            words=ratio_cell(ratio),
        )
        for arm in workload.arms
        if (ratio := ratios.get(arm.name)) is not None
    )
    if not rows:
        return None
    reference = workload.reference or ""
    return Rows(
        x_label=f"step / step of {reference}",
        rows=rows,
        mark=Mark(value=1.0, label=reference),
        less="cheaper",
        more="dearer",
    )


def phases_chart(workload: WorkloadReport) -> Bars | None:
    """Return the parts of each arm's step; None where they were not measured."""
    arms = [(arm.name, arm.phases.amortised) for arm in workload.arms if arm.phases]
    if not arms:
        return None
    names = tuple(name for name in PHASES if any(name in parts for _, parts in arms))
    return Bars(
        x_label="a step with its share of a refresh",
        parts=tuple(name.replace("_", " ") for name in names),
        colours=tuple(f"phase-{name}" for name in names),
        bars=tuple(
            Bar(
                arm=name,
                sizes=tuple(spent.get(part, 0.0) for part in names),
                words=format_seconds(sum(spent.values())),
            )
            for name, spent in arms
        ),
        reading="seconds",
    )
