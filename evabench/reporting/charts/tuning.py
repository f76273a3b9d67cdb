"""What the trials of a tuning say beyond their best point: how much the rate matters, and what more trials bought."""

import math
from collections.abc import Sequence

from evabench.findings.tuning import TunedArm
from evabench.reporting.charts.chart import Line, Lines, Look, View
from evabench.settings.points import rate_of
from evabench.stats.best_of import expected_best


def sensitivity_chart(arms: Sequence[TunedArm], looks: dict[str, Look]) -> Lines | None:
    """Return the best loss at each learning rate that was tried; None where no arm has two of them."""
    lines = []
    for arm in arms:
        best: dict[float, float] = {}
        for point in arm.points:
            rate = rate_of(point.settings)
            if rate is not None and math.isfinite(point.median_loss):
                best[rate] = min(point.median_loss, best.get(rate, math.inf))
        if len(best) > 1 and arm.name in looks:
            rates = sorted(best)
            losses = tuple(best[rate] for rate in rates)
            lines.append(Line(arm=arm.name, look=looks[arm.name], x=tuple(rates), y=losses))
    if not lines:
        return None
    return Lines(
        views=(View(name="rate", label="learning rate; the other settings at their best for it", logarithmic=True),),
        lines=tuple(lines),
        y_label="validation loss",
        y_logarithmic=all(loss > 0 for line in lines for loss in line.y),
        y_range=_range(lines),
        dotted=True,
    )


def budget_chart(arms: Sequence[TunedArm], looks: dict[str, Look]) -> Lines | None:
    """Return the loss that so many points, drawn at random, would have found; None without two points."""
    lines = tuple(
        Line(
            arm=arm.name,
            look=looks[arm.name],
            x=tuple(float(count) for count, best in enumerate(found, start=1) if math.isfinite(best)),
            y=tuple(best for best in found if math.isfinite(best)),
        )
        for arm in arms
        if arm.name in looks and len(arm.points) > 1
        if (found := expected_best([point.median_loss for point in arm.points])) and math.isfinite(found[-1])
    )
    if not lines:
        return None
    return Lines(
        views=(View(name="points", label="points tried", logarithmic=True),),
        lines=lines,
        y_label="expected best validation loss",
        y_logarithmic=all(loss > 0 for line in lines for loss in line.y),
        y_range=_range(lines),
    )


def _range(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the losses worth a look: up to a third beyond those that the worst of the arms ends with, or twice."""
    losses = [loss for line in lines for loss in line.y]
    low = min(losses)
    best = max(min(line.y) for line in lines)
    high = min(max(losses), 2 * best) if low > 0 else max(losses)
    return (low * 0.97, high * 1.03) if low > 0 else (low - 0.05 * (high - low), high + 0.05 * (high - low))
