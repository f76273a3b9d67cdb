"""A picture for a light and for a dark page, as SVG, and what all pictures share."""

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evabench.errors import printable
from evabench.reporting.charts.chart import Chart
from evabench.reporting.pictures.compact import compact
from evabench.reporting.pictures.plain_matplotlib import (
    Axes,
    Figure,
    FuncFormatter,
    LogLocator,
    NullLocator,
    drawing_with,
)
from evabench.reporting.pictures.theme import LIGHT, THEMES, Theme, matplotlib_settings

_WIDTH_INCHES = 7.6
ROW_INCHES = 0.36  # of a horizontal chart, one row per arm
# What fits into the width at the size of the labels, and what a line sample with its distances takes of it.
_LEGEND_LETTERS, _HANDLE_LETTERS = 100, 7
_LEGEND_ROW_INCHES = 0.2
_PNG_DPI = 200
_NO_DATE: Mapping[str, dict[str, str | None]] = {"pdf": {"CreationDate": None}, "png": {}, "svg": {"Date": None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture for both themes."""

    name: str  # of its files
    title: str
    alt: str  # what it shows, for those who do not see it
    svg: Mapping[str, str]  # by theme; drawn when it is asked for
    chart: Chart | None = None  # the numbers, where a page with a script draws them itself


def make_picture(
    name: str,
    title: str,
    alt: str,
    height: float,
    draw: Callable[[Figure, Theme], None],
    chart: Chart | None = None,
) -> Picture:
    """Return what `draw` draws, once per theme."""
    return Picture(name=name, title=printable(title), alt=printable(alt), svg=_Drawings(height, draw), chart=chart)


def figure_file(picture: Picture, kind: str) -> bytes:
    """Return a picture as a file for a paper, "pdf", "png" or "svg"."""
    assert isinstance(picture.svg, _Drawings), picture.name
    return picture.svg.file(kind)


class _Drawings(Mapping[str, str]):
    """SVG by theme, drawn once each: who asks where a number comes from waits for no picture."""

    def __init__(self, height: float, draw: Callable[[Figure, Theme], None]) -> None:
        self._height, self._draw = height, draw
        self._drawn: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._drawn:
            (theme,) = (one for one in THEMES if one.name == name)
            self._drawn[name] = _svg(theme, self._height, self._draw)
        return self._drawn[name]

    def file(self, kind: str) -> bytes:
        """Return it as a file for a paper: on white, and the same bytes each time."""
        content = io.BytesIO()
        with drawing_with(matplotlib_settings(LIGHT) | {"pdf.fonttype": 42}):
            figure = Figure(figsize=(_WIDTH_INCHES, self._height), layout="constrained")
            self._draw(figure, LIGHT)
            figure.savefig(content, format=kind, dpi=_PNG_DPI, metadata=_NO_DATE[kind])
        return content.getvalue()

    def __iter__(self) -> Iterator[str]:
        return iter(theme.name for theme in THEMES)

    def __len__(self) -> int:
        return len(THEMES)


def short(label: str) -> str:
    """Return a label of at most 28 characters, with control characters spelled out: no font has them."""
    return shortened(label, 28)


def shortened(label: str, most: int) -> str:
    """Return a label of at most so many characters, as `short` does."""
    told = printable(label)
    return told if len(told) <= most else f"{told[: most - 1]}..."


def legend_columns(labels: Sequence[str]) -> int:
    """Return how many columns of a legend fit beside each other: a long label must not leave the picture."""
    longest = max(map(len, labels), default=0)
    return max(1, min(6, _LEGEND_LETTERS // (longest + _HANDLE_LETTERS)))


def legend_inches(labels: Sequence[str]) -> float:
    """Return the height of a legend beyond its first row."""
    rows = -(-len(labels) // legend_columns(labels))
    return _LEGEND_ROW_INCHES * (rows - 1)


def plain_log_ticks(axes: Axes, subs: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), *, unit: str = "") -> None:
    """Write the numbers of a logarithmic x axis as they are, since labels have no mathematics in them."""
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{unit}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _svg(theme: Theme, height: float, draw: Callable[[Figure, Theme], None]) -> str:
    """Draw once; the same report gives the same bytes."""
    with drawing_with(matplotlib_settings(theme)):
        figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
        draw(figure, theme)
        text = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a box stands in its place
            figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return compact(text.getvalue())
