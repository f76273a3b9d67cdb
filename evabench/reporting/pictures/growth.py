"""How the time and the work of an optimizer grow with the width, as pictures."""

from evabench.findings.costs import CostFamily
from evabench.findings.work import WorkFamily
from evabench.reporting.charts.chart import Lines
from evabench.reporting.charts.growth import cost_growth_chart, work_growth_chart
from evabench.reporting.pictures.lines import draw_lines, lines_inches
from evabench.reporting.pictures.picture import Picture, make_picture
from evabench.reporting.pictures.styles import Looks
from evabench.reporting.tables.counts import format_count
from evabench.units import format_seconds


def cost_growth_picture(family: CostFamily, looks: Looks) -> Picture | None:
    """Return what each arm adds to a step of SGD, against the width; None where there is nothing to draw."""
    chart = cost_growth_chart(family, looks)
    if chart is None:
        return None
    words = "; ".join(f"{line.arm} {format_seconds(line.y[-1])} at d = {line.x[-1]:g}" for line in chart.lines)
    title = f"A step less that of SGD against the width d: {family.name}; band: 95 % interval"
    return _picture("cost-growth", title, words, chart)


def work_growth_picture(family: WorkFamily, looks: Looks) -> Picture | None:
    """Return the flops of each arm's own operators in a step, against the width; None without two widths."""
    chart = work_growth_chart(family, looks)
    if chart is None:
        return None
    words = "; ".join(f"{line.arm} {format_count(line.y[-1])} flops at d = {line.x[-1]:g}" for line in chart.lines)
    title = f"Work of the optimizer's own operators in a step against the width d: {family.name}"
    return _picture("work-growth", title, words, chart)


def _picture(name: str, title: str, words: str, chart: Lines) -> Picture:
    return make_picture(
        name, title, f"{title}: {words}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart
    )
