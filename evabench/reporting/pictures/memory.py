"""Memory: the peak by category, a step over its time, and the growth of the curvature state with the width."""

from evabench.findings.widths import WidthFamily
from evabench.reporting.charts.memory import growth_chart, memory_chart, timeline_chart
from evabench.reporting.pictures.bars import bars_inches, draw_bars
from evabench.reporting.pictures.lines import draw_lines, lines_inches
from evabench.reporting.pictures.picture import Picture, make_picture
from evabench.reporting.pictures.styles import Looks
from evabench.reporting.report import WorkloadReport
from evabench.units import format_bytes


def memory_picture(workload: WorkloadReport) -> Picture | None:
    """Return the peak of live tensors, stacked by what they were; None where memory was not measured."""
    chart = memory_chart(workload)
    if chart is None:
        return None
    title = "Memory at the peak of a step"
    words = "; ".join(f"{bar.arm} {bar.words}" for bar in chart.bars)
    return make_picture(
        "memory", title, f"{title}: {words}.", bars_inches(chart), lambda f, t: draw_bars(f, t, chart), chart
    )


def timeline_picture(workload: WorkloadReport, looks: Looks) -> Picture | None:
    """Return what is alive over one step, the three phases side by side; None where it was not recorded."""
    chart = timeline_chart(workload, looks)
    if chart is None:
        return None
    title = "Live tensors over one step"
    peaks = "; ".join(f"{line.arm} peaks at {format_bytes(round(max(line.y)))}" for line in chart.lines)
    return make_picture(
        "timeline", title, f"{title}: {peaks}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart
    )


def growth_picture(family: WidthFamily, looks: Looks) -> Picture | None:
    """Return the curvature state against the width; None where no arm has two widths and any state."""
    chart = growth_chart(family, looks)
    if chart is None:
        return None
    title = f"Curvature state against the width: {family.name}"
    words = "; ".join(f"{line.arm} {format_bytes(round(max(line.y)))} at the widest" for line in chart.lines)
    return make_picture(
        "growth", title, f"{title}: {words}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart
    )
