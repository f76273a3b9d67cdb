"""The history of step times: a point for each code, and where a series has shifted."""

from collections.abc import Sequence

from evabench.findings.history import Series
from evabench.reporting.pictures.picture import Picture, make_picture, short
from evabench.reporting.pictures.plain_matplotlib import Figure, FuncFormatter
from evabench.reporting.pictures.theme import Theme
from evabench.units import format_seconds

_PANEL_INCHES = 1.9
_MAX_LABELS = 12  # of codes, below the last panel


def history_picture(series: Sequence[Series], workload: str) -> Picture:
    """Return the series of one workload, a panel each, over the codes in the order of their measuring."""

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(len(series), squeeze=False)[:, 0]
        for panel, one in zip(panels, series, strict=True):
            places = range(len(one.points))
            colour = theme.families[one.family]
            panel.plot(places, [point.seconds for point in one.points], "o-", color=colour, markersize=4, linewidth=1)
            codes = [point.code for point in one.points]
            for shift in one.shifts:
                place = codes.index(shift.code)
                panel.axvline(place - 0.5, color=theme.ink, linewidth=1.2, linestyle="--")
                panel.annotate(
                    f"{shift.shift:+.0%}", (place - 0.4, 0.92), xycoords=("data", "axes fraction"), color=theme.ink,
                )  # fmt: skip
            panel.set_title(f"{short(one.arm)}, torch {one.torch}", fontsize=9.5, loc="left", color=theme.muted)
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_seconds(value)))
            every = -(-len(codes) // _MAX_LABELS)
            panel.set_xticks(list(places)[::every], codes[::every], rotation=30, ha="right", fontsize=7.5)
            panel.grid(axis="y", which="major")

    title = f"Step time over the history of {workload}"
    shifts = [f"{one.arm} {shift.shift:+.0%} at {shift.code}" for one in series for shift in one.shifts]
    alt = f"{title}, {len(series)} series. Change points: {'; '.join(shifts) or 'none'}."
    return make_picture("history", title, alt, _PANEL_INCHES * len(series) + 0.3, draw)
