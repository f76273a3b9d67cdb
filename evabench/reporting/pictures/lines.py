"""A chart of lines as a picture: every arm told by colour, dash and marker, with its name at the end of its line.

Beyond eight arms no eye follows a line among the others: each arm then has a small picture of its own, in which the
range of all of them is grey.
"""

import math
from collections.abc import Sequence

import numpy as np

from evabench.reporting.charts.chart import Line, Lines, Reading, View
from evabench.reporting.pictures.binary_ticks import linear_ticks, log_ticks, tick_label
from evabench.reporting.pictures.picture import plain_log_ticks, short, shortened
from evabench.reporting.pictures.plain_matplotlib import Axes, Figure, FuncFormatter, LogLocator, NullLocator
from evabench.reporting.pictures.styles import dash_of, marker_of
from evabench.reporting.pictures.theme import Theme

MOST_TOGETHER = 8  # arms in one panel
_COLUMNS = 4  # of small multiples
_LABEL_LETTERS = 20
_MARKERS = 6  # along a line
_BEHIND = 40  # places of what is grey
_APART = 0.07  # of the height of a panel, from one label to the next
_UNITS: dict[Reading, str] = {"seconds": " s", "joules": " J", "ratio": "x"}
_MOST_DECADES = 3.0  # over the width of a picture, of which three numbers each have room
_PANEL_INCHES, _SMALL_INCHES = 3.5, 1.55


def lines_inches(chart: Lines) -> float:
    """Return the height that the picture takes."""
    if len(chart.lines) <= MOST_TOGETHER:
        return max(_PANEL_INCHES, 0.3 * len(chart.lines) + 1.2)
    return _SMALL_INCHES * math.ceil(len(chart.lines) / _COLUMNS) + 0.4


def draw_lines(figure: Figure, theme: Theme, chart: Lines) -> None:
    """Draw all views beside each other, or one panel an arm."""
    if len(chart.lines) > MOST_TOGETHER:
        _draw_small(figure, theme, chart)
        return
    panels = figure.subplots(1, len(chart.views), sharey=True, squeeze=False)[0]
    for place, (axes, view) in enumerate(zip(panels, chart.views, strict=True)):
        shown = [line for line in chart.lines if line.in_view(view.name) is not None]
        for line in shown:
            _draw(axes, chart, line, view, theme.families[line.look.family], theme)
        _frame(axes, chart, view, theme)
        if place == len(panels) - 1:
            _label_ends(axes, chart, view, shown, theme)
    panels[0].set_ylabel(chart.y_label)


def _draw_small(figure: Figure, theme: Theme, chart: Lines) -> None:
    view = chart.views[0]
    places, low, high = _range_of_all(chart.lines)
    rows = math.ceil(len(chart.lines) / _COLUMNS)
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).flatten()
    for line, axes in zip(chart.lines, panels, strict=False):
        axes.fill_between(places, low, high, color=theme.grid, alpha=0.6, lw=0)
        _draw(axes, chart, line, view, theme.families[line.look.family], theme)
        _frame(axes, chart, view, theme)
        if chart.y_range and all(value > chart.y_range[1] for value in line.y):
            axes.text(0.5, 0.88, "above the scale", transform=axes.transAxes, ha="center", va="top", fontsize=7)
        axes.set_title(short(line.arm), fontsize=8, loc="left", color=theme.ink, pad=3)
        axes.tick_params(labelsize=7)
    for axes in panels[len(chart.lines) :]:
        axes.set_visible(False)
    figure.supxlabel(view.label, fontsize=8.5, color=theme.muted)
    figure.supylabel(chart.y_label, fontsize=8.5, color=theme.muted)


def _range_of_all(lines: Sequence[Line]) -> tuple[list[float], list[float], list[float]]:
    """Return the lowest and the highest of the lines at some places, as far as any line goes."""
    drawn = [line for line in lines if line.x]
    places = np.linspace(min(line.x[0] for line in drawn), max(line.x[-1] for line in drawn), _BEHIND)
    values = np.array([np.interp(places, line.x, line.y, left=np.nan, right=np.nan) for line in drawn])
    known = np.isfinite(values).any(axis=0)
    low, high = np.nanmin(values[:, known], axis=0), np.nanmax(values[:, known], axis=0)
    return list(places[known]), list(low), list(high)


def _style(chart: Lines) -> str:
    return "steps-post" if chart.stepped else "default"


def _draw(axes: Axes, chart: Lines, line: Line, view: View, colour: str, theme: Theme) -> None:
    scale = line.in_view(view.name) or 1.0
    if line.band_x:
        axes.fill_between([x * scale for x in line.band_x], line.low, line.high, color=colour, alpha=0.13, lw=0)
    count = len(line.x)
    every = 1 if chart.dotted else max(1, count // _MARKERS)
    first = 0 if chart.dotted else (line.look.number * max(1, every // 4)) % every
    axes.plot(
        [x * scale for x in line.x], line.y, color=colour, ls=dash_of(line.look), lw=1.7, drawstyle=_style(chart),
        marker=marker_of(line.look), markersize=4.2, markevery=(first, every), markeredgewidth=0.6,
        markerfacecolor=colour,
    )  # fmt: skip


def _frame(axes: Axes, chart: Lines, view: View, theme: Theme) -> None:
    if view.logarithmic:
        axes.set_xscale("log")
        plain_log_ticks(axes, subs=_subs(chart, view), unit=_UNITS.get(view.reading, ""))
    elif view.reading in _UNITS:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{_UNITS[view.reading]}"))
    if chart.ticks:
        axes.set_xticks([at for at, _ in chart.ticks], [label for _, label in chart.ticks])
        axes.tick_params(axis="x", length=0 if chart.edges else 3)
        axes.xaxis.set_minor_locator(NullLocator())
    for edge in chart.edges:
        axes.axvline(edge, color=theme.grid, lw=1)
    axes.set_xlabel(view.label)
    _frame_y(axes, chart)
    if chart.mark is not None:
        axes.axhline(chart.mark.value, color=theme.muted, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            chart.mark.label, (0, chart.mark.value), (4, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="left", color=theme.muted, fontsize=8,
        )  # fmt: skip
    axes.grid(axis="y" if chart.edges else "both")


def _subs(chart: Lines, view: View) -> tuple[float, ...]:
    """Return which digits a logarithmic axis names: fewer, the more decades there are."""
    xs = [x * scale for line in chart.lines if (scale := line.in_view(view.name)) for x in line.x if x > 0]
    decades = math.log10(max(xs) / min(xs)) if xs else 1.0
    return (1.0, 2.0, 5.0) if decades < _MOST_DECADES / len(chart.views) else (1.0,)


def _frame_y(axes: Axes, chart: Lines) -> None:
    low, high = chart.y_range or axes.get_ylim()
    if chart.y_logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    if chart.y_reading == "bytes":
        ticks = log_ticks(low, high) if chart.y_logarithmic else linear_ticks(high)
        axes.set_yticks(ticks, [tick_label(tick) for tick in ticks])
    elif chart.y_reading == "share":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    else:
        if chart.y_logarithmic:
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0), numticks=12))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.set_ylim(low, high)


def _label_ends(axes: Axes, chart: Lines, view: View, lines: Sequence[Line], theme: Theme) -> None:
    """Write each arm's name beside the picture, at the height of its line's end, as far as the names leave room."""
    low, high = axes.get_ylim()
    ends = [(line, _height(line.y[-1], low, high, chart)) for line in lines if line.y]
    ends.sort(key=lambda end: end[1])
    places = spread([height for _, height in ends], min(_APART, 1 / max(1, len(ends))))
    for (line, height), place in zip(ends, places, strict=True):
        scale = line.in_view(view.name) or 1.0
        value = min(max(line.y[-1], low), high) if math.isfinite(height) else low
        axes.annotate(
            shortened(line.arm, _LABEL_LETTERS), (line.x[-1] * scale, value), (1.03, place), textcoords="axes fraction",
            va="center", fontsize=8.5, color=theme.ink, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": theme.families[line.look.family], "lw": 0.8, "shrinkB": 2},
        )  # fmt: skip


def _height(value: float, low: float, high: float, chart: Lines) -> float:
    """Return the place in the panel, from 0 at the bottom to 1 at the top."""
    value = min(max(value, low), high)
    if chart.y_logarithmic:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def spread(heights: Sequence[float], apart: float) -> list[float]:
    """Return rising heights moved as little as lets any two be `apart`; all of them between 0 and 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + apart) if placed else max(height, 0.0))
    top = 1.0
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], top)
        top = placed[place] - apart
    return placed
