"""Memory: the peak by category, a step over its time, and the growth of the curvature state with the width."""

from evabench.findings.widths import WidthFamily
from evabench.reporting.pictures.picture import ROW_INCHES, Picture, legend_columns, legend_inches, make_picture, short
from evabench.reporting.pictures.plain_matplotlib import Figure, FuncFormatter, LogLocator, NullLocator
from evabench.reporting.pictures.styles import LINES, MARKERS, STYLES, Styles
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.memory import peak_parts
from evabench.units import format_bytes

_PHASES = ("forward", "backward", "optimizer")


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
            style, colour = STYLES[styles[arm.name]], theme.families[arm.optimizer.family]
            axes.plot(places, sizes, style, color=colour, lw=1.4, label=short(arm.name), drawstyle="steps-mid")
        for edge in (1, 2):
            axes.axvline(edge, color=theme.grid, lw=1)
        axes.set_xticks([0.5, 1.5, 2.5], ["forward", "backward", "optimizer"])
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(0, 3)
        axes.set_ylim(0, None)
        axes.set_ylabel("live tensors, MiB")
        axes.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=legend_columns(labels), **LINES)

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
            axes.plot(widths, sizes, STYLES[style], marker=MARKERS[style], color=colour, label=short(arm.arm))
        axes.set_xscale("log")
        axes.set_yscale("log")
        widths = sorted({width for arm in arms for width in arm.curvature_bytes})
        axes.set_xticks(widths, [str(width) for width in widths])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_bytes(round(value * 2**20))))
        axes.yaxis.set_major_locator(LogLocator(base=2, numticks=7))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("width d (first hidden layer; the others in proportion)")
        axes.set_ylabel("curvature state")
        axes.grid()
        figure.legend(loc="outside upper left", ncols=legend_columns(labels), **LINES)

    words = "; ".join(f"{arm.arm} {format_bytes(max(arm.curvature_bytes.values()))} at the widest" for arm in arms)
    title = "Curvature state against the width"
    return make_picture("growth", title, f"{title}, {family.name}: {words}.", 3.3 + legend_inches(labels), draw)
