"""What a chart shows, as numbers: lines, rows with intervals, stacked bars, dots. Renders nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evabench.settings.choices import Family

Reading = Literal["number", "bytes", "seconds", "joules", "share", "ratio"]  # how people read an axis


@dataclass(frozen=True, slots=True)
class Look:
    """What tells one arm from all others: the colour of its family, and a number that is dash and marker."""

    family: Family
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One x axis of a chart that has several, between which a reader switches."""

    name: str  # "steps", "seconds"
    label: str
    reading: Reading = "number"
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One arm; x and y are of equal length, and so are the ends of its band, where it has one."""

    arm: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]
    band_x: tuple[float, ...] = ()
    low: tuple[float, ...] = ()  # of the seeds, at each place of `band_x`
    high: tuple[float, ...] = ()
    scale: Mapping[str, float] = field(default_factory=dict)  # of x, by view; a view that is not named has no such line

    def in_view(self, view: str) -> float | None:
        """Return what one unit of x comes to in a view; None: nobody measured that."""
        return self.scale.get(view) if self.scale else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A level that all lines are held against."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines of arms over one x axis or several."""

    views: tuple[View, ...]
    lines: tuple[Line, ...]
    y_label: str
    y_reading: Reading = "number"
    y_logarithmic: bool = False
    y_range: tuple[float, float] | None = None  # None: what the lines need
    mark: Mark | None = None
    stepped: bool = False  # a value holds until the next one
    dotted: bool = False  # every point is a measurement of its own, and is drawn
    ticks: tuple[tuple[float, str], ...] = ()  # of the x axis, where its places have names
    edges: tuple[float, ...] = ()  # of x, where one part ends and the next begins
    instances: tuple[Mapping[str, float | None], ...] = ()  # of a profile: cost by arm, None a miss; lines follow
    of_arms: bool = True  # False: a line is something else, and no switch of arms hides it
    x_name: str = ""  # of one place, where a view is no unit: "layer"
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm: an estimate, with its interval where there is one."""

    arm: str
    look: Look
    estimate: float
    low: float | None
    high: float | None
    words: str  # what people read, with the digits that the interval supports


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Estimates below each other on one logarithmic axis."""

    x_label: str
    rows: tuple[Row, ...]
    mark: Mark
    reading: Reading = "ratio"
    about: str = "bar: 95 % interval; an empty mark: too few pairs for one"
    less: str  # what lies to the left of the mark: "cheaper"
    more: str
    kind: Literal["rows"] = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One arm: the sizes of its parts, in the order of the chart."""

    arm: str
    sizes: tuple[float, ...]
    words: str  # their sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Stacked bars below each other."""

    x_label: str
    parts: tuple[str, ...]
    colours: tuple[str, ...]  # the names of the theme's colours, one for each part
    bars: tuple[Bar, ...]
    reading: Reading
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One of the numbers that each row of dots has."""

    name: str
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A number with the ends of its seeds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DotRow:
    """A number for each series; None: there is none."""

    name: str
    view: str
    dots: tuple[Dot | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """Several numbers a row on one scale, for one view or another; no row is an arm."""

    views: tuple[View, ...]
    series: tuple[Series, ...]
    rows: tuple[DotRow, ...]
    scale: tuple[float, float]
    ticks: tuple[float, ...]
    kind: Literal["dots"] = "dots"


Chart = Lines | Rows | Bars | Dots
