"""How fast each arm converges on a quadratic, as a table."""

from evabench.findings.arm import MeasuredArm
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.settings.quadratics import QuadraticSettings
from evabench.stats.rates import BestRate, steps_to_a_tenth


def rate_table(workload: WorkloadReport) -> Table | None:
    """Return each arm's rate at its best learning rate; None where no rate was measured."""
    arms = [arm for arm in workload.arms if arm.has_rates]
    if not arms or not isinstance(workload.settings, QuadraticSettings):
        return None
    theory = workload.settings.gradient_descent_rate
    return Table(
        title="Rate of convergence at the best learning rate",
        headings=("arm", "a step multiplies the distance by", "steps to a tenth", "learning rate", "tried"),
        rows=tuple(_row(arm, arm.best_rate) for arm in arms),
        note=(
            f"Gradient descent at its best: {theory:.4f}, {steps_to_a_tenth(theory):.1f} steps to a tenth of the "
            "excess loss. Learning rates are multiples of its best one: one grid for every arm, one choice for all "
            "seeds, by the fall of the excess loss over the whole trial. The rate is the slope over its second half. "
            "In brackets: the exact interval of the median over the seeds, of 95 % or more."
        ),
        text=frozenset({"learning rate"}),
    )


def _row(arm: MeasuredArm, best: BestRate | None) -> tuple[str, ...]:
    if best is None:
        return arm.name, NOT_MEASURED, NOT_MEASURED, "none at which the loss fell in every seed", NOT_MEASURED
    rate, steps = f"{best.contraction:.4f}", f"{steps_to_a_tenth(best.contraction):.3g}"
    if best.interval is not None:
        low, high = best.interval.low, best.interval.high
        rate += f" [{low:.4f}, {high:.4f}]"
        steps += f" [{steps_to_a_tenth(low):.3g}, {steps_to_a_tenth(high):.3g}]"
    edge = ", at the edge of the grid" if best.at_edge else ""
    return arm.name, rate, steps, f"{best.multiple:g}{edge}", str(best.num_tried)
