"""The pictures of a report.

A colour stands for a family of optimizers, a line style for the arm within its family, so that a picture can be read
without colours and the same arm looks the same in all of them. Labels are untrusted text: no mathematics in them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from evabench.claims.curvature import WidthFamily
from evabench.records.phases import PHASES
from evabench.reporting.cost_tables import MIN_PAIRS
from evabench.reporting.memory_tables import peak_parts
from evabench.reporting.pictures import (
    ROW_INCHES,
    Picture,
    legend_columns,
    legend_inches,
    make_picture,
    plain_log_ticks,
    short,
)
from evabench.reporting.report import ArmReport, WorkloadReport
from evabench.reporting.theme import Theme
from evabench.settings.optimizers import Family, OptimizerSettings
from evabench.stats.paired import PairedRatio
from evabench.units import format_bytes, format_seconds

Styles = Mapping[str, int]

_STYLES = ("-", "--", ":", "-.")
_PHASES = ("forward", "backward", "optimizer")
_LINES: Mapping[str, Any] = {"frameon": False, "handlelength": 2.4}  # of a legend
_MARKERS = ("o", "s", "^", "D")


def arm_styles(optimizers: Mapping[str, OptimizerSettings]) -> Styles:
    """Return each arm's number within its family, which is its line style and marker in every picture."""
    seen: Counter[Family] = Counter()
    styles = {}
    for name, optimizer in optimizers.items():
        styles[name] = seen[optimizer.family] % len(_STYLES)
        seen[optimizer.family] += 1
    return styles


def step_time_picture(workload: WorkloadReport) -> Picture | None:
    """Return each arm's step over the reference's, with its interval; None where there is nothing to compare."""
    arms = [(arm, arm.step_over_reference) for arm in workload.arms if arm.step_over_reference]
    if not arms:
        return None
    title = f"Step time, relative to {workload.reference}"

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        axes.axvline(1.0, color=theme.muted, linewidth=1)
        for place, (arm, ratio) in enumerate(arms):
            colour = theme.families[arm.optimizer.family]
            if ratio.num_pairs >= MIN_PAIRS:
                axes.plot([ratio.low, ratio.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot([ratio.estimate], [place], "o", color=colour, markersize=6)
            axes.annotate(
                f"{ratio.estimate:.2f}x",
                (_ends(ratio)[1], place),
                (7, 0),
                textcoords="offset points",
                va="center",
                color=theme.ink,
            )
        axes.set_yticks(range(len(arms)), [short(arm.name) for arm, _ in arms])
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xscale("log")
        highest = max(_ends(ratio)[1] for _, ratio in arms)
        lowest = min(_ends(ratio)[0] for _, ratio in arms)
        axes.set_xlim(min(0.9, lowest * 0.9), max(2.0, highest * 1.3))
        plain_log_ticks(axes)
        bar = "; bar: 95 % interval" if any(ratio.num_pairs >= MIN_PAIRS for _, ratio in arms) else ""
        axes.set_xlabel(f"step / step of {short(workload.reference or '')}{bar}")
        axes.grid(axis="x", which="major")

    words = "; ".join(f"{arm.name} {ratio.estimate:.2f} times" for arm, ratio in arms)
    return make_picture("step-time", title, f"{title}: {words}.", ROW_INCHES * len(arms) + 0.9, draw)


def _ends(ratio: PairedRatio) -> tuple[float, float]:
    """Return the ends of what is drawn: the interval, or the estimate alone where the tables show no interval."""
    return (ratio.low, ratio.high) if ratio.num_pairs >= MIN_PAIRS else (ratio.estimate, ratio.estimate)


def phases_picture(workload: WorkloadReport) -> Picture | None:
    """Return the parts of each arm's step, stacked; None where they were not measured."""
    arms = [(arm.name, arm.phases.amortised) for arm in workload.arms if arm.phases]
    if not arms:
        return None
    names = [name for name in PHASES if any(name in parts for _, parts in arms)]

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        before = [0.0] * len(arms)
        for name in names:
            parts = [1e3 * spent.get(name, 0.0) for _, spent in arms]
            axes.barh(range(len(arms)), parts, 0.66, before, color=theme.phases[name], label=name)
            before = [start + part for start, part in zip(before, parts, strict=True)]
        for place, total in enumerate(before):
            axes.annotate(
                format_seconds(total / 1e3), (total, place), (5, 0), textcoords="offset points", va="center",
                color=theme.ink,
            )  # fmt: skip
        axes.set_yticks(range(len(arms)), [short(name) for name, _ in arms])
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xlim(0, max(before) * 1.14)
        axes.set_xlabel("a step with its share of a refresh, ms")
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=5, frameon=False, handlelength=1.0, handletextpad=0.5)

    title = "Where a step goes"
    words = "; ".join(f"{name} {format_seconds(sum(parts.values()))}" for name, parts in arms)
    return make_picture(
        "phases", title, f"{title}: {words}.", ROW_INCHES * len(arms) + 1.25 + 0.22 * (len(names) > 5), draw
    )


def convergence_picture(workload: WorkloadReport, styles: Styles) -> Picture | None:
    """Return the validation loss against steps and against time; None where nothing was trained."""
    arms = [
        arm
        for arm in workload.arms
        if any(evaluation.validation_loss for training in arm.trainings for evaluation in training.evaluations)
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
        figure.legend(handles, labels, loc="outside upper left", ncols=legend_columns(labels), **_LINES)

    ends = "; ".join(
        f"{arm.name} ends at {median(losses):.3g}"
        for arm in arms
        if (losses := [loss for loss in arm.final_losses if loss is not None])
    )
    title = f"Validation loss against steps and against time, {workload.budget_words}"
    return make_picture(
        f"convergence-{workload.budget_words.replace(' ', '-')}",
        title,
        f"{title}: {ends}.",
        3.6 + legend_inches(labels),
        draw,
    )


def memory_picture(workload: WorkloadReport) -> Picture | None:
    """Return the peak of live tensors, stacked by what they were; None where memory was not measured."""
    arms = [(arm.name, peak_parts(arm.memory.peak)) for arm in workload.arms if arm.memory]
    if not arms:
        return None

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for part, (words, _) in enumerate(arms[0][1]):
            sizes = [parts[part][1] / 2**20 for _, parts in arms]
            before = [sum(size for _, size in parts[:part]) / 2**20 for _, parts in arms]
            axes.barh(range(len(arms)), sizes, 0.66, before, color=theme.parts[part], label=words)
        for place, (_, parts) in enumerate(arms):
            total = sum(size for _, size in parts)
            axes.annotate(
                format_bytes(total), (total / 2**20, place), (5, 0), textcoords="offset points", va="center",
                color=theme.ink,
            )  # fmt: skip
        axes.set_yticks(range(len(arms)), [short(name) for name, _ in arms])
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xlim(0, max(sum(size for _, size in parts) for _, parts in arms) / 2**20 * 1.14)
        axes.set_xlabel("live tensors at the peak, MiB")
        axes.grid(axis="x")
        figure.legend(
            loc="outside upper left", ncols=7, frameon=False, handlelength=1.0, handletextpad=0.5, columnspacing=1.0
        )

    title = "Memory at the peak of a step"
    words = "; ".join(f"{name} {format_bytes(sum(size for _, size in parts))}" for name, parts in arms)
    return make_picture("memory", title, f"{title}: {words}.", ROW_INCHES * len(arms) + 1.25, draw)


def timeline_picture(workload: WorkloadReport, styles: Styles) -> Picture | None:
    """Return what is alive over one step, the three phases side by side; None where it was not recorded."""
    arms = [(arm, arm.memory.timeline) for arm in workload.arms if arm.memory and arm.memory.timeline]
    if not arms:
        return None
    labels = [short(arm.name) for arm, _ in arms]

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for arm, timeline in arms:
            places: list[float] = []
            for number, phase in enumerate(_PHASES):
                count = sum(point.phase == phase for point in timeline)
                places += [number + (position + 0.5) / count for position in range(count)]
            sizes = [point.live_bytes / 2**20 for phase in _PHASES for point in timeline if point.phase == phase]
            style, colour = _STYLES[styles[arm.name]], theme.families[arm.optimizer.family]
            axes.plot(places, sizes, style, color=colour, lw=1.4, label=short(arm.name), drawstyle="steps-mid")
        for edge in (1, 2):
            axes.axvline(edge, color=theme.grid, lw=1)
        axes.set_xticks([0.5, 1.5, 2.5], ["forward", "backward", "optimizer"])
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(0, 3)
        axes.set_ylim(0, None)
        axes.set_ylabel("live tensors, MiB")
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=legend_columns(labels), **_LINES)

    title = "Live tensors over one step"
    peaks = "; ".join(
        f"{arm.name} peaks at {format_bytes(max(point.live_bytes for point in timeline))}" for arm, timeline in arms
    )
    return make_picture("timeline", title, f"{title}: {peaks}.", 3.1 + legend_inches(labels), draw)


def growth_picture(family: WidthFamily, styles: Styles) -> Picture | None:
    """Return the curvature state against the width; None where no arm has two widths and any state."""
    arms = [arm for arm in family.arms if len(arm.curvature_bytes) > 1 and any(arm.curvature_bytes.values())]
    if not arms:
        return None
    labels = [short(arm.arm) for arm in arms]

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for arm in arms:
            style = styles[arm.arm]
            widths, sizes = list(arm.curvature_bytes), [size / 2**20 for size in arm.curvature_bytes.values()]
            colour = theme.families[arm.optimizer.family]
            axes.plot(widths, sizes, _STYLES[style], marker=_MARKERS[style], color=colour, label=short(arm.arm))
        axes.set_xscale("log")
        axes.set_yscale("log")
        widths = sorted({width for arm in arms for width in arm.curvature_bytes})
        axes.set_xticks(widths, [str(width) for width in widths])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_bytes(round(value * 2**20))))
        axes.yaxis.set_major_locator(LogLocator(numticks=7))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("width d (first hidden layer; the others in proportion)")
        axes.set_ylabel("curvature state")
        axes.grid()
        figure.legend(loc="outside upper left", ncols=legend_columns(labels), **_LINES)

    words = "; ".join(f"{arm.arm} {format_bytes(max(arm.curvature_bytes.values()))} at the widest" for arm in arms)
    title = "Curvature state against the width"
    return make_picture("growth", title, f"{title}, {family.name}: {words}.", 3.3 + legend_inches(labels), draw)


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


def _curve(arm: ArmReport, styles: Styles) -> _Curve:
    return _Curve(
        label=short(arm.name),
        family=arm.optimizer.family,
        style=_STYLES[styles[arm.name]],
        step_seconds=arm.amortised_seconds,
        seeds=tuple(
            tuple(
                (evaluation.step, evaluation.validation_loss)
                for evaluation in training.evaluations
                if evaluation.validation_loss is not None and evaluation.step > 0
            )
            for training in arm.trainings
        ),
    )


def _draw_curves(axes: Axes, curves: Sequence[_Curve], theme: Theme, target: float | None, *, in_seconds: bool) -> None:
    for curve in curves:
        scale = (curve.step_seconds or 0.0) if in_seconds else 1.0
        colour = theme.families[curve.family]
        for seed in curve.seeds:
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
