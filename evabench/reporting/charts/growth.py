"""How the time and the work of an optimizer grow with the width, as charts."""

from collections.abc import Mapping, Sequence

from evabench.findings.costs import CostFamily
from evabench.findings.work import WorkFamily
from evabench.reporting.charts.chart import Line, Lines, Look, Reading, View
from evabench.stats.trimmed import TrimmedMean

Growing = tuple[str, Mapping[int, tuple[float, float, float]]]  # an arm; by width a number between its bounds


def cost_growth_chart(family: CostFamily, looks: Mapping[str, Look]) -> Lines | None:
    """Return what each arm adds to a step of SGD, with its interval; None where no arm adds anything at two widths."""
    intervals = [
        (arm.arm, {width: (cost, cost.interval()) for width, cost in arm.costs.items()}) for arm in family.arms
    ]
    arms = [
        (arm, {width: (cost.estimate, between.low, between.high) for width, (cost, between) in found.items()})
        for arm, found in intervals
    ]
    return _growth(arms, looks, "a step less that of SGD", "seconds")


def work_growth_chart(family: WorkFamily, looks: Mapping[str, Look]) -> Lines | None:
    """Return the flops of each arm's own operators in a step, a refresh at its share; None without two widths."""
    arms = [
        (arm.arm, {width: (flops / arm.cycle_steps,) * 3 for width, flops in arm.flops.items()}) for arm in family.arms
    ]
    return _growth(arms, looks, "flops of a step", "number")


def _between(cost: TrimmedMean) -> tuple[float, float, float]:
    interval = cost.interval()
    return cost.estimate, interval.low, interval.high


def _growth(arms: Sequence[Growing], looks: Mapping[str, Look], label: str, reading: Reading) -> Lines | None:
    """Return a chart with two logarithmic axes, so that a power of the width is a straight line."""
    shown = {
        arm: known
        for arm, numbers in arms
        if len(known := {width: at for width, at in sorted(numbers.items()) if at[0] > 0}) > 1 and arm in looks
    }
    if not shown:
        return None
    of_all = [number for known in shown.values() for number, *_ in known.values()]
    least, most = 0.8 * min(of_all), 1.25 * max(of_all)
    return Lines(
        views=(View(name="width", label="width d", logarithmic=True),),
        lines=tuple(_line(arm, looks[arm], known, (least, most)) for arm, known in shown.items()),
        y_label=label,
        y_reading=reading,
        y_logarithmic=True,
        y_range=(least, most),
        dotted=True,
    )


def _line(arm: str, look: Look, known: Mapping[int, tuple[float, float, float]], ends: tuple[float, float]) -> Line:
    """Return the line of an arm; its band ends where the picture does, since no logarithm goes down to 0."""
    widths = tuple(map(float, known))
    banded = any(low != high for _, low, high in known.values())
    least, most = ends
    return Line(
        arm=arm,
        look=look,
        x=widths,
        y=tuple(number for number, *_ in known.values()),
        band_x=widths if banded else (),
        low=tuple(max(low, least) for _, low, _ in known.values()) if banded else (),
        high=tuple(min(high, most) for *_, high in known.values()) if banded else (),
    )
