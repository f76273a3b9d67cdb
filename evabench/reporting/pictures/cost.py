"""What a step costs: its time against the reference, and its phases."""

from evabench.reporting.charts.chart import Rows
from evabench.reporting.charts.cost import phases_chart, step_time_chart
from evabench.reporting.pictures.bars import bars_inches, draw_bars
from evabench.reporting.pictures.picture import ROW_INCHES, Picture, make_picture, plain_log_ticks, short, shortened
from evabench.reporting.pictures.plain_matplotlib import Figure
from evabench.reporting.pictures.styles import Looks, marker_of
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.report import WorkloadReport

_LABEL_LETTERS = 40  # of the axis: an arm may have any name


def step_time_picture(workload: WorkloadReport, looks: Looks) -> Picture | None:
    """Return each arm's step over the reference's, with its interval; None where there is nothing to compare."""
    chart = step_time_chart(workload, looks)
    if chart is None:
        return None
    title = f"Step time, relative to {workload.reference}"
    words = "; ".join(f"{row.arm} {row.words}" for row in chart.rows)
    height = ROW_INCHES * len(chart.rows) + 0.9
    return make_picture("step-time", title, f"{title}: {words}.", height, lambda f, t: draw_rows(f, t, chart), chart)


def draw_rows(figure: Figure, theme: Theme, chart: Rows) -> None:
    """Draw an estimate with its interval for each arm; one without an interval is an empty mark."""
    axes = figure.add_subplot()
    axes.axvline(chart.mark.value, color=theme.muted, linewidth=1)
    for place, row in enumerate(chart.rows):
        colour = theme.families[row.look.family]
        decided = row.low is not None and row.high is not None
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot(
            [row.estimate], [place], marker_of(row.look), color=colour, markersize=6,
            fillstyle="full" if decided else "none",
        )  # fmt: skip
        right = row.estimate if row.high is None else row.high
        axes.annotate(
            row.words if decided else f"{row.words.split(' ')[0]} (too few)", (right, place), (7, 0),
            textcoords="offset points", va="center", color=theme.ink if decided else theme.muted, fontsize=8.5,
        )  # fmt: skip
    axes.set_yticks(range(len(chart.rows)), [short(row.arm) for row in chart.rows])
    axes.set_ylim(len(chart.rows) - 0.5, -0.5)
    axes.set_xscale("log")
    highest = max(row.estimate if row.high is None else row.high for row in chart.rows)
    lowest = min(row.estimate if row.low is None else row.low for row in chart.rows)
    left, right = min(0.9, lowest * 0.9), max(2.0, highest * 1.3)
    axes.set_xlim(left, right * (right / left) ** 0.3)  # room for the words
    plain_log_ticks(axes)
    enough = [row.low is not None for row in chart.rows]
    bar = "; bar: 95 % interval" * any(enough) + "; empty: too few pairs for one" * (not all(enough))
    axes.set_xlabel(with_ends(chart, bar))
    axes.grid(axis="x", which="major")


def with_ends(chart: Rows, about: str) -> str:
    """Return the label of the axis between what lies to the left of the mark and what lies to its right."""
    return f"\u2190 {chart.less}    {shortened(chart.x_label, _LABEL_LETTERS)}{about}    {chart.more} \u2192"


def phases_picture(workload: WorkloadReport) -> Picture | None:
    """Return the parts of each arm's step, stacked; None where they were not measured."""
    chart = phases_chart(workload)
    if chart is None:
        return None
    title = "Where a step goes"
    words = "; ".join(f"{bar.arm} {bar.words}" for bar in chart.bars)
    return make_picture(
        "phases", title, f"{title}: {words}.", bars_inches(chart), lambda f, t: draw_bars(f, t, chart), chart
    )
