"""Loss over steps and over seconds, an arm a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from evabench.findings.arm import MeasuredArm
from evabench.reporting.pictures.picture import (
    Picture,
    legend_columns,
    legend_inches,
    make_picture,
    plain_log_ticks,
    short,
)
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
        if any(evaluation.validation_loss for training in arm.curves for evaluation in training.evaluations)
    ]
    if not arms:
        return None
    curves = [_curve(arm, styles) for arm in arms]
    timed, labels = [curve for curve in curves if curve.step_seconds], [curve.label for curve in curves]
    target = workload.target.goal.value if workload.target and workload.target.goal.metric == "loss" else None
    low, high, is_cut = _frame(curves, target)

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, 2 if timed else 1, sharey=True, squeeze=False)[0]
        _draw_curves(panels[0], curves, theme, target, in_seconds=False)
        panels[0].set_xlabel("steps")
        panels[0].set_ylabel("validation loss" + (" (higher ones are cut off)" if is_cut else ""))
        panels[0].set_ylim(low, high)
        if timed:
            _draw_curves(panels[1], timed, theme, target, in_seconds=True)
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
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid()


def _frame(curves: Sequence[_Curve], target: float | None) -> tuple[float, float, bool]:
    """Return the lowest and highest loss to show, and whether losses lie above: one wild seed must not flatten all."""
    losses = [loss for curve in curves for seed in curve.seeds for _, loss in seed]
    low = min(losses) if target is None else min(*losses, target)
    high = max(losses)
    shown = min(high, 4 * median(losses))
    return low * 0.93, shown * 1.07, shown < high
