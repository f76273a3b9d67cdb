"""Losses over steps, seconds and joules, and who has reached the target by when: one line an arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from evabench.findings.arm import MeasuredArm
from evabench.reporting.charts.chart import Line, Lines, Look, Mark, View
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.convergence import reached_arms
from evabench.reporting.tables.visit import joules_per_step

STEPS = View(name="steps", label="steps")
_VIEWS = (
    STEPS,
    View(name="seconds", label="steps x step time", reading="seconds", logarithmic=True),
    View(name="joules", label="steps x energy of a step", reading="joules", logarithmic=True),
)


def loss_chart(workload: WorkloadReport, looks: dict[str, Look]) -> Lines | None:
    """Return the validation loss of each arm, the median over its seeds; None where nothing was trained."""
    lines = tuple(line for arm in workload.arms if (line := _loss_line(arm, looks[arm.name])) is not None)
    if not lines:
        return None
    target = workload.target.goal if workload.target and workload.target.goal.metric == "loss" else None
    frame = _frame(lines, target.value if target else None)
    views = tuple(view for view in _VIEWS if any(view.name in line.scale for line in lines))
    return Lines(
        views=views,
        lines=lines,
        y_label="validation loss" + (" (higher ones are cut off)" if frame.is_cut else ""),
        y_logarithmic=frame.logarithmic,
        y_range=(frame.low, frame.high),
        mark=Mark(value=target.value, label=f"target {target.value:.3g}") if target else None,
    )


def reached_chart(workload: WorkloadReport, looks: dict[str, Look]) -> Lines | None:
    """Return the share of seeds that have reached the target, by Kaplan and Meier; None without enough seeds."""
    found = reached_arms(workload)
    lines = tuple(
        Line(
            arm=arm.name,
            look=looks[arm.name],
            x=(0.0, *one.steps, float(end)),
            y=(0.0, *one.shares, one.shares[-1] if one.shares else 0.0),
            scale=_scales(arm),
        )
        for arm, one, end in found
    )
    if not lines:
        return None
    views = tuple(view for view in _VIEWS if any(view.name in line.scale for line in lines))
    return Lines(
        views=tuple(View(name=view.name, label=view.label, reading=view.reading) for view in views),
        lines=lines,
        y_label="share of the seeds at the target",
        y_reading="share",
        y_range=(0.0, 1.03),
        stepped=True,
    )


def _scales(arm: MeasuredArm) -> dict[str, float]:
    """Return what a step comes to in each view that was measured."""
    joules = [found for source in ("cpu", "gpu") if (found := joules_per_step(arm, source)) is not None]
    scales = {"steps": 1.0}
    if arm.amortised_seconds is not None:
        scales["seconds"] = arm.amortised_seconds
    if joules:
        scales["joules"] = sum(joules)
    return scales


def _loss_line(arm: MeasuredArm, look: Look) -> Line | None:
    """Return the median at the steps at which all seeds have a loss, and the range of those that have one."""
    by_step: dict[int, list[float]] = {}
    for training in arm.curves:
        for evaluation in training.evaluations:
            if evaluation.validation_loss is not None and evaluation.step > 0:
                by_step.setdefault(evaluation.step, []).append(evaluation.validation_loss)
    if not by_step:
        return None
    steps = sorted(by_step)
    whole = [step for step in steps if len(by_step[step]) == len(arm.curves)]
    several = len(arm.curves) > 1
    return Line(
        arm=arm.name,
        look=look,
        x=tuple(map(float, whole)),
        y=tuple(median(by_step[step]) for step in whole),
        band_x=tuple(map(float, steps)) if several else (),
        low=tuple(min(by_step[step]) for step in steps) if several else (),
        high=tuple(max(by_step[step]) for step in steps) if several else (),
        scale=_scales(arm),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The losses that are shown."""

    low: float
    high: float
    is_cut: bool  # whether losses lie above
    logarithmic: bool


def _frame(lines: Sequence[Line], target: float | None) -> _Frame:
    """Return the losses to show: one wild seed must not flatten all. Where one is 0 or below, the axis is linear."""
    losses = [loss for line in lines for loss in (*line.y, *line.low, *line.high)]
    targets = [] if target is None else [target]
    low, highest = min([*losses, *targets]), max(losses)
    if low > 0:
        high = max([min(highest, 4 * median(losses)), *targets])
        return _Frame(low=low * 0.93, high=high * 1.07, is_cut=high < highest, logarithmic=True)
    usual = float(np.quantile(losses, 0.75))
    high = max([min(highest, usual + 10 * (usual - low)), *targets])
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return _Frame(low=low - margin, high=high + margin, is_cut=high < highest, logarithmic=False)
