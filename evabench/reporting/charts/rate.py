"""How fast each arm converges on a net whose theory is known, as a chart."""

from statistics import median

from evabench.reporting.charts.chart import Look, Mark, Row, Rows
from evabench.reporting.report import WorkloadReport
from evabench.settings.quadratics import QuadraticSettings
from evabench.stats.rates import steps_to_a_tenth


def rate_chart(workload: WorkloadReport, looks: dict[str, Look]) -> Rows | None:
    """Return each arm's steps to a tenth of the excess loss, with its range over seeds; None where none has a rate."""
    settings = workload.settings
    if not isinstance(settings, QuadraticSettings):
        return None
    rows = []
    for arm in workload.arms:
        if arm.best_rate is not None:
            steps = [steps_to_a_tenth(rho) for rho in arm.best_rate.contractions]
            middle = median(steps)
            rows.append(
                Row(
                    arm=arm.name,
                    look=looks[arm.name],
                    estimate=middle,
                    low=min(steps),
                    high=max(steps),
                    words=f"{middle:.3g}",
                )
            )
    if not rows:
        return None
    return Rows(
        x_label="steps to a tenth of the excess loss",
        rows=tuple(rows),
        mark=Mark(
            value=steps_to_a_tenth(settings.gradient_descent_rate), label="gradient descent at its best, in theory"
        ),
        reading="number",
        about="bar: the seeds; dashed: gradient descent at its best, in theory",
        less="faster",
        more="slower",
    )
