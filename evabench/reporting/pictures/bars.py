"""Stacked bars below each other, as a picture."""

from evabench.reporting.charts.chart import Bars
from evabench.reporting.pictures.binary_ticks import linear_ticks, tick_label
from evabench.reporting.pictures.picture import ROW_INCHES, short
from evabench.reporting.pictures.plain_matplotlib import Figure, FuncFormatter
from evabench.reporting.pictures.theme import Theme

_ONE_ROW, _COLUMNS = 7, 5  # parts in one row, or columns of several


def bars_inches(chart: Bars) -> float:
    """Return the height that the picture takes."""
    return ROW_INCHES * len(chart.bars) + 1.25 + 0.22 * (len(chart.parts) > _ONE_ROW)


def draw_bars(figure: Figure, theme: Theme, chart: Bars) -> None:
    """Draw a bar for each arm, with its sum behind it."""
    axes = figure.add_subplot()
    places, before = range(len(chart.bars)), [0.0] * len(chart.bars)
    for part, (label, colour) in enumerate(zip(chart.parts, chart.colours, strict=True)):
        sizes = [bar.sizes[part] for bar in chart.bars]
        axes.barh(places, sizes, 0.66, before, color=theme.named(colour), label=label)
        before = [start + size for start, size in zip(before, sizes, strict=True)]
    for place, (bar, end) in enumerate(zip(chart.bars, before, strict=True)):
        axes.annotate(bar.words, (end, place), (5, 0), textcoords="offset points", va="center", color=theme.ink)
    axes.set_yticks(places, [short(bar.arm) for bar in chart.bars])
    axes.set_ylim(len(chart.bars) - 0.5, -0.5)
    most = max(before) * 1.14
    axes.set_xlim(0, most or 1.0)
    if chart.reading == "bytes":
        ticks = linear_ticks(most)
        axes.set_xticks(ticks, [tick_label(tick) for tick in ticks])
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{1e3 * value:g}"))
    axes.set_xlabel(chart.x_label + (", ms" if chart.reading == "seconds" else ""))
    axes.grid(axis="x")
    columns = len(chart.parts) if len(chart.parts) <= _ONE_ROW else _COLUMNS
    figure.legend(
        loc="outside upper left", ncols=columns, frameon=False, handlelength=1.0, handletextpad=0.5, columnspacing=1.0
    )
