"""Loss over steps and over seconds, one line per arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from evabench.findings.arm import MeasuredArm
from evabench.reporting.pictures.picture import (
    Picture,
    legend_columns,
    legend_inches,
    make_picture,
    plain_log_ticks,
    short,
)
from evabench.reporting.pictures.plain_matplotlib import Axes, Figure, FuncFormatter, LogLocator, NullLocator
from evabench.reporting.pictures.styles import LINES, STYLES, Styles
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.pictures.thinning import drawn_seeds, thinning_words
from evabench.reporting.report import WorkloadReport
from evabench.settings.choices import Family


def convergence_picture(workload: WorkloadReport, styles: Styles) -> Picture | None:
    """Return the validation loss against steps and against time; None where nothing was trained."""
    arms = [
        arm
        for arm in workload.arms
        if any(evaluation.validation_loss is not None for one in arm.curves for evaluation in one.evaluations)
    ]
    if not arms:
        return None
    curves = [_curve(arm, styles) for arm in arms]
    timed, labels = [curve for curve in curves if curve.step_seconds], [curve.label for curve in curves]
    target = workload.target.goal.value if workload.target and workload.target.goal.metric == "loss" else None
    frame = _frame(curves, target)

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, 2 if timed else 1, sharey=True, squeeze=False)[0]
        _draw_curves(panels[0], curves, theme, target, in_seconds=False)
        _scale(panels[0], frame)
        panels[0].set_xlabel("steps")
        panels[0].set_ylabel("validation loss" + (" (higher ones are cut off)" if frame.is_cut else ""))
        if timed:
            _draw_curves(panels[1], timed, theme, target, in_seconds=True)
            _scale(panels[1], frame)
            panels[1].set_xscale("log")
            plain_log_ticks(panels[1], subs=(1.0, 2.0, 5.0), unit=" s")
            panels[1].set_xlabel("steps x step time")
        handles, _ = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=legend_columns(labels), **LINES)

    ends = "; ".join(
        f"{arm.name} ends at {median(losses):.3g}"
        for arm in arms
        if (losses := [loss for loss in arm.final_losses if loss is not None])
    )
    title = f"Validation loss against steps and against time, {workload.budget_words}"
    title += thinning_words(max(len(curve.seeds) for curve in curves))
    return make_picture(
        f"convergence-{workload.budget_words.replace(' ', '-')}",
        title,
        f"{title}: {ends}.",
        3.6 + legend_inches(labels),
        draw,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The training of one arm: (step, loss) of each seed, and the median where all seeds have a value."""

    label: str
    family: Family
    style: str
    step_seconds: float | None
    seeds: tuple[tuple[tuple[int, float], ...], ...]

    @property
    def middle(self) -> tuple[tuple[int, float], ...]:
        by_step: dict[int, list[float]] = {}
        for seed in self.seeds:
            for step, loss in seed:
                by_step.setdefault(step, []).append(loss)
        return tuple((step, median(losses)) for step, losses in by_step.items() if len(losses) == len(self.seeds))


def _curve(arm: MeasuredArm, styles: Styles) -> _Curve:
    return _Curve(
        label=short(arm.name),
        family=arm.optimizer.family,
        style=STYLES[styles[arm.name]],
        step_seconds=arm.amortised_seconds,
        seeds=tuple(
            tuple(
                (evaluation.step, evaluation.validation_loss)
                for evaluation in training.evaluations
                if evaluation.validation_loss is not None and evaluation.step > 0
            )
            for training in arm.curves
        ),
    )


def _draw_curves(axes: Axes, curves: Sequence[_Curve], theme: Theme, target: float | None, *, in_seconds: bool) -> None:
    for curve in curves:
        scale = (curve.step_seconds or 0.0) if in_seconds else 1.0
        colour = theme.families[curve.family]
        for seed in drawn_seeds(curve.seeds):
            axes.plot([step * scale for step, _ in seed], [loss for _, loss in seed], color=colour, lw=0.8, alpha=0.35)
        steps, losses = [step * scale for step, _ in curve.middle], [loss for _, loss in curve.middle]
        axes.plot(steps, losses, curve.style, color=colour, lw=2, label=curve.label)
    if target is not None:
        axes.axhline(target, color=theme.muted, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            "target", (1, target), (-4, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="right", color=theme.muted, fontsize=8,
        )  # fmt: skip
    axes.grid()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The losses that are shown."""

    low: float
    high: float
    is_cut: bool  # whether losses lie above
    logarithmic: bool


def _frame(curves: Sequence[_Curve], target: float | None) -> _Frame:
    """Return the losses to show: one wild seed must not flatten all. Where one is 0 or below, the axis is linear."""
    losses = [loss for curve in curves for seed in curve.seeds for _, loss in seed]
    targets = [] if target is None else [target]
    low, highest = min([*losses, *targets]), max(losses)
    if low > 0:
        high = max([min(highest, 4 * median(losses)), *targets])
        return _Frame(low=low * 0.93, high=high * 1.07, is_cut=high < highest, logarithmic=True)
    usual = float(np.quantile(losses, 0.75))
    high = max([min(highest, usual + 10 * (usual - low)), *targets])
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return _Frame(low=low - margin, high=high + margin, is_cut=high < highest, logarithmic=False)


def _scale(axes: Axes, frame: _Frame) -> None:
    if frame.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0), numticks=12))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.set_ylim(frame.low, frame.high)
