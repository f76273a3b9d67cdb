"""Pictures of a tuning: how much the learning rate matters to each arm, and what more trials bought."""

from collections.abc import Sequence

from evabench.findings.tuning import TunedArm
from evabench.reporting.charts.chart import Lines
from evabench.reporting.charts.tuning import budget_chart, sensitivity_chart
from evabench.reporting.pictures.lines import draw_lines, lines_inches
from evabench.reporting.pictures.picture import Picture, make_picture
from evabench.reporting.pictures.styles import Looks


def sensitivity_picture(arms: Sequence[TunedArm], looks: Looks) -> Picture | None:
    """Return the best loss at each learning rate; None where no arm has two of them."""
    return _picture("sensitivity", "How much the learning rate matters", sensitivity_chart(arms, looks))


def budget_picture(arms: Sequence[TunedArm], looks: Looks) -> Picture | None:
    """Return what so many trials would have found; None without two points."""
    return _picture("budget", "What a tuning of fewer points would have found", budget_chart(arms, looks))


def _picture(name: str, title: str, chart: Lines | None) -> Picture | None:
    if chart is None:
        return None
    best = "; ".join(f"{line.arm} {min(line.y):.3g}" for line in chart.lines)
    return make_picture(
        name, title, f"{title}; at its best: {best}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart
    )
