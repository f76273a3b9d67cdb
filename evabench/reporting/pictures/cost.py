"""What a step costs: its time against the reference, and its phases."""

from typing import Literal

from evabench.records.phases import PHASES
from evabench.reporting.pictures.picture import ROW_INCHES, Picture, make_picture, plain_log_ticks, short
from evabench.reporting.pictures.plain_matplotlib import Figure
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.cost import MIN_PAIRS
from evabench.stats.paired import PairedRatio
from evabench.units import format_seconds, ratio_digits


def step_time_picture(workload: WorkloadReport) -> Picture | None:
    """Return each arm's step over the reference's, with its interval; None where there is nothing to compare."""
    ratios = workload.step_over_reference
    arms = [(arm, ratios[arm.name]) for arm in workload.arms if arm.name in ratios]
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
            decided = ratio.num_pairs >= MIN_PAIRS
            filling: Literal["full", "none"] = "full" if decided else "none"
            axes.plot([ratio.estimate], [place], "o", color=colour, markersize=6, fillstyle=filling)
            digits = ratio_digits(ratio.low, ratio.high) if decided else 2
            axes.annotate(
                f"{ratio.estimate:.{digits}f}x",
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
        enough = [ratio.num_pairs >= MIN_PAIRS for _, ratio in arms]
        bar = "; bar: 95 % interval" * any(enough) + "; empty: too few pairs for one" * (not all(enough))
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
