"""Pictures of what was trained: losses, who reached the target by when, and how often an arm is near the best."""

from collections.abc import Sequence
from statistics import median

from evabench.reporting.charts.convergence import loss_chart, reached_chart
from evabench.reporting.charts.profile import profile_chart
from evabench.reporting.pictures.lines import MOST_TOGETHER, draw_lines, lines_inches
from evabench.reporting.pictures.picture import Picture, make_picture
from evabench.reporting.pictures.styles import Looks
from evabench.reporting.report import Report, WorkloadReport


def convergence_picture(workload: WorkloadReport, looks: Looks) -> Picture | None:
    """Return the validation loss against steps, seconds and joules; None where nothing was trained."""
    chart = loss_chart(workload, looks)
    if chart is None:
        return None
    names = [view.name for view in chart.views]
    against = names[0] if len(chart.lines) > MOST_TOGETHER else _listed(names)
    seeds = "; band: all seeds" if any(line.band_x for line in chart.lines) else ""
    title = f"Validation loss against {against}, {workload.budget_words}{seeds}"
    ends = "; ".join(
        f"{arm.name} ends at {median(losses):.3g}"
        for arm in workload.arms
        if (losses := [loss for loss in arm.final_losses if loss is not None])
    )
    return make_picture(
        "convergence", title, f"{title}: {ends}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart
    )


def _listed(names: Sequence[str]) -> str:
    """Return "steps, seconds and joules"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def reached_picture(workload: WorkloadReport, looks: Looks) -> Picture | None:
    """Return who has reached the target by when; None without one, or with too few seeds."""
    chart = reached_chart(workload, looks)
    if chart is None:
        return None
    title = f"Share of the seeds that have reached the target, {workload.budget_words}"
    ends = "; ".join(f"{line.arm} {line.y[-1]:.0%}" for line in chart.lines)
    return make_picture(
        "reached", title, f"{title}, at the end: {ends}.", lines_inches(chart), lambda f, t: draw_lines(f, t, chart),
        chart,
    )  # fmt: skip


def profile_picture(report: Report, looks: Looks) -> Picture | None:
    """Return how often each arm is within a factor of the best; None without targets that several arms were given."""
    chart = profile_chart(report, looks)
    if chart is None:
        return None
    title = "Within which factor of the best arm"
    shares = "; ".join(f"{line.arm} is the best in {_at_best(line.x, line.y):.0%}" for line in chart.lines)
    alt = f"{title}, over {len(chart.instances)} workloads x seeds: {shares}."
    return make_picture("profile", title, alt, lines_inches(chart), lambda f, t: draw_lines(f, t, chart), chart)


def _at_best(factors: tuple[float, ...], shares: tuple[float, ...]) -> float:
    return max(share for factor, share in zip(factors, shares, strict=True) if factor == 1.0)
