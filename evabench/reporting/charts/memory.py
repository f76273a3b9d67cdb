"""Memory as charts: the peak by category, a step over its time, the growth of the curvature state with the width."""

from itertools import pairwise

from evabench.findings.widths import WidthFamily
from evabench.reporting.charts.chart import Bar, Bars, Line, Lines, Look, View
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.memory import peak_parts
from evabench.units import format_bytes

_MOST_POINTS, _MANY_ARMS = 240, 8  # of a line; where there are more arms, half as many
_PHASES = ("forward", "backward", "optimizer")


def memory_chart(workload: WorkloadReport) -> Bars | None:
    """Return the peak of live tensors by what they were; None where memory was not measured."""
    arms = [(arm.name, peak_parts(arm.memory.peak)) for arm in workload.arms if arm.memory]
    if not arms:
        return None
    return Bars(
        x_label="live tensors at the peak",
        parts=tuple(words for words, _ in arms[0][1]),
        colours=tuple(f"part-{place}" for place in range(len(arms[0][1]))),
        bars=tuple(
            Bar(
                arm=name,
                sizes=tuple(float(size) for _, size in parts),
                words=format_bytes(sum(size for _, size in parts)),
            )
            for name, parts in arms
        ),
        reading="bytes",
    )


def timeline_chart(workload: WorkloadReport, looks: dict[str, Look]) -> Lines | None:
    """Return what is alive over one step, its three phases equally wide; None where it was not recorded."""
    lines, most = [], _MOST_POINTS // (2 if len(workload.arms) > _MANY_ARMS else 1)
    for arm in workload.arms:
        timeline = arm.memory.timeline if arm.memory else ()
        if not timeline:
            continue
        places: list[float] = []
        for number, phase in enumerate(_PHASES):
            count = sum(point.phase == phase for point in timeline)
            places += [number + (position + 0.5) / count for position in range(count)]
        sizes = [float(point.live_bytes) for phase in _PHASES for point in timeline if point.phase == phase]
        kept = thinned(sizes, most)
        x, y = (tuple(values[place] for place in kept) for values in (places, sizes))
        lines.append(Line(arm=arm.name, look=looks[arm.name], x=x, y=y))
    if not lines:
        return None
    return Lines(
        views=(View(name="moment", label="moment of a step"),),
        lines=tuple(lines),
        y_label="live tensors",
        y_reading="bytes",
        y_range=(0.0, 1.05 * max(size for line in lines for size in line.y)),
        stepped=True,
        ticks=tuple((number + 0.5, phase) for number, phase in enumerate(_PHASES)),
        edges=(1.0, 2.0),
    )


def thinned(values: list[float], most: int) -> list[int]:
    """Return which values are drawn: of many the least and the most of each of `most` / 2 stretches, in their order."""
    if len(values) <= most:
        return list(range(len(values)))
    edges = [round(place * 2 * len(values) / most) for place in range(most // 2 + 1)]
    stretches = [range(first, last) for first, last in pairwise(edges)]
    return sorted({pick(stretch, key=values.__getitem__) for stretch in stretches for pick in (min, max)})


def growth_chart(family: WidthFamily, looks: dict[str, Look]) -> Lines | None:
    """Return the curvature state against the width; None where no arm has two widths and any state."""
    lines = tuple(
        Line(
            arm=arm.arm,
            look=looks[arm.arm],
            x=tuple(float(width) for width, size in arm.curvature_bytes.items() if size),
            y=tuple(float(size) for size in arm.curvature_bytes.values() if size),
        )
        for arm in family.arms
        if len(arm.curvature_bytes) > 1 and any(arm.curvature_bytes.values()) and arm.arm in looks
    )
    if not lines:
        return None
    sizes = [size for line in lines for size in line.y]
    widths = sorted({width for line in lines for width in line.x})
    label = "width d (first hidden layer; the others in proportion)"
    return Lines(
        views=(View(name="width", label=label, logarithmic=True),),
        lines=lines,
        y_label="curvature state",
        y_reading="bytes",
        y_logarithmic=True,
        y_range=(0.8 * min(sizes), 1.25 * max(sizes)),
        dotted=True,
        ticks=tuple((width, f"{width:g}") for width in widths),
    )
