"""The pictures of what the reason given for Eva comes to."""

from collections.abc import Sequence

from evabench.records.mechanism import Mechanism
from evabench.reporting.charts.chart import DotRow, Dots, Row
from evabench.reporting.charts.mechanism import cosines_chart, rows_words, shares_chart, shares_of
from evabench.reporting.charts.rate import rate_chart
from evabench.reporting.pictures.cost import with_ends
from evabench.reporting.pictures.picture import ROW_INCHES, Picture, make_picture, plain_log_ticks, short
from evabench.reporting.pictures.plain_matplotlib import Axes, Figure
from evabench.reporting.pictures.styles import Looks, marker_of
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.mechanism import METHODS, SIDES, Moment, Side, moments, sharings
from evabench.settings.choices import WeightSharing
from evabench.settings.eva import EvaSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.stats.spreads import Spread

_OFFSETS = (-0.22, 0.0, 0.22)  # of the dots of a row
_FEW_RATES = 3  # that are read at once


def shares_picture(workload: WorkloadReport) -> Picture | None:
    """Return what the means hold of each layer's factors, at the last probe; None where nothing was probed."""
    moment = last_moment(workload)
    if moment is None:
        return None
    kinds = sharings(moment.probes[0])

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for panel, side in zip(panels, SIDES, strict=True):
            for kind in kinds:
                _draw_shares(panel, moment, side, kind, theme)
            panel.set_title(side, fontsize=9.5, loc="left", color=theme.muted)
            panel.set_ylim(-0.03, 1.03)
            panel.set_xlabel("layer, from the input")
            panel.xaxis.get_major_locator().set_params(integer=True)
            panel.grid(axis="y")
        panels[0].set_ylabel("share of the factor's trace")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False, handlelength=2.4)

    title = f"What the mean holds of each layer's factors: {moment.words}"
    return make_picture("shares", title, shares_words(moment, kinds[0]), 3.4, draw, shares_chart(moment))


def shares_words(moment: Moment, kind: WeightSharing) -> str:
    """Return what the mean and the best direction hold, from layer to layer, as sentences."""

    def over_layers(name: str) -> str:
        found = {side: [spread.middle for _, spread in shares_of(moment, side, kind, name)] for side in SIDES}
        told = [f"{_range(of)} of the {side}'" for side, of in found.items() if of]
        return " and ".join(told) or "a share that is not known of the"

    return (
        f"The mean holds {over_layers('mean_share')} factors, from layer to layer ({moment.words}). "
        f"The best direction holds {over_layers('top_share')}."
    )


def _range(shares: Sequence[float]) -> str:
    """Return "40% to 58%", or one share where all are the same in whole per cent."""
    return " to ".join(dict.fromkeys(f"{share:.0%}" for share in (min(shares), max(shares))))


def directions_picture(workload: WorkloadReport) -> Picture | None:
    """Return the cosines of each method of rank one, at the last probe; None where nothing was probed."""
    moment = last_moment(workload)
    if moment is None:
        return None
    chart = cosines_chart(moment)
    views = [view.name for view in moment.probes[0].views]

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, len(chart.views), sharey=True)
        for panel, view in zip(panels, chart.views, strict=True):
            _draw_cosines(panel, chart, [row for row in chart.rows if row.view == view.name], theme)
            panel.set_title(view.name, fontsize=9.5, loc="left", color=theme.muted)
        panels[0].set_yticks(range(len(views)), [short(view) for view in views])
        panels[0].set_ylim(len(views) - 0.5, -0.5)
        panels[1].set_xlabel(chart.views[1].label)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, handlelength=1.2)

    title = f"Where each method steps: {moment.words}"
    words = "; ".join(
        f"{method.name} and {method.exact} {spread.middle:.2f} in the view {view}"
        for method in METHODS
        for place, view in (enumerate(views) if len(views) < 3 else ((0, views[0]), (len(views) - 1, views[-1])))
        if (spread := Spread.of(method.of_net(probe.views[place]).to_exact for probe in moment.probes))
    )
    height = ROW_INCHES * len(views) + 1.35
    return make_picture("directions", title, f"{title}. Cosines: {words}.", height, draw, chart)


def rate_picture(workload: WorkloadReport, looks: Looks) -> Picture | None:
    """Return each arm's steps to a tenth of the excess loss; None where no arm has a rate."""
    chart, settings = rate_chart(workload, looks), workload.settings
    if chart is None or not isinstance(settings, QuadraticSettings):
        return None

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        axes.axvline(chart.mark.value, color=theme.muted, linewidth=1, label=chart.mark.label)
        for place, row in enumerate(chart.rows):
            colour = theme.families[row.look.family]
            axes.plot(
                [row.low or row.estimate, row.high or row.estimate], [place, place], color=colour, linewidth=2.2,
                solid_capstyle="butt",
            )  # fmt: skip
            axes.plot([row.estimate], [place], "o", color=colour, markersize=6)
            axes.annotate(
                row.words, (1.01, place), xycoords=("axes fraction", "data"), va="center", color=theme.ink,
            )  # fmt: skip
        axes.set_yticks(range(len(chart.rows)), [short(row.arm) for row in chart.rows])
        axes.set_ylim(len(chart.rows) - 0.5, -0.5)
        axes.set_xscale("log")
        axes.margins(x=0.08)
        plain_log_ticks(axes, subs=(1.0, 2.0, 5.0))
        axes.set_xlabel(with_ends(chart, "; bar: the seeds"))
        axes.grid(axis="x", which="major")
        figure.legend(loc="outside upper left", frameon=False, handlelength=1.6)

    title = f"Steps to a tenth of the excess loss, condition {settings.condition:g}"
    alt = f"{title}: {_rates_words(workload, chart.rows)}"
    return make_picture("rate", title, alt, ROW_INCHES * len(chart.rows) + 1.25, draw, chart)


def _rates_words(workload: WorkloadReport, rows: Sequence[Row]) -> str:
    """Return the rates of all arms; of more than a few first the ends and those that Eva is compared with."""
    words = {row.arm: f"{row.words} with {row.arm}" for row in rows}
    every = f"{'; '.join(words.values())}."
    if len(rows) <= _FEW_RATES:
        return every
    least, *_, most = sorted(rows, key=lambda row: row.estimate)
    ends = {least.arm: "fewest, ", most.arm: "most, "}
    eva = [arm.name for arm in workload.arms if isinstance(arm.optimizer, EvaSettings)]
    told = dict.fromkeys((least.arm, most.arm, rows[0].arm, *[name for name in eva if name in words][:1]))
    first = "; ".join(f"{ends.get(name, '')}{words[name]}" for name in told)
    return f"{first}. Of all: {every}"


def last_moment(workload: WorkloadReport) -> Moment | None:
    """Return the last probe of the arm that is Eva, else of the first arm that was probed."""
    eva = [arm.name for arm in workload.arms if isinstance(arm.optimizer, EvaSettings) and arm.records_of(Mechanism)]
    ends = moments(workload, ends_only=True)
    of_eva = [moment for moment in ends if moment.words.endswith(f" of {eva[0]}")] if eva else []
    last = of_eva or ends
    return last[-1] if last else None


def _draw_shares(axes: Axes, moment: Moment, side: Side, kind: WeightSharing, theme: Theme) -> None:
    """Draw the mean's share with the seeds' ends, and the best direction's, which no rank-one matrix exceeds."""
    rows = rows_words(moment, kind)
    fill = theme.families["eva"] if kind == "reduce" or not rows else "none"
    known = shares_of(moment, side, kind, "mean_share")
    axes.vlines(
        [place for place, _ in known], [spread.low for _, spread in known], [spread.high for _, spread in known],
        color=theme.families["eva"], linewidth=1.6,
    )  # fmt: skip
    axes.plot(
        [place for place, _ in known], [spread.middle for _, spread in known], "o", color=theme.families["eva"],
        markerfacecolor=fill, markersize=4.5, label=f"outer product of the mean{rows}",
    )  # fmt: skip
    best = shares_of(moment, side, kind, "top_share")
    axes.plot(
        [place for place, _ in best], [spread.middle for _, spread in best],
        "-" if kind == "reduce" or not rows else ":", color=theme.muted, linewidth=1.2, label=f"best direction{rows}",
    )  # fmt: skip


def _draw_cosines(axes: Axes, chart: Dots, rows: Sequence[DotRow], theme: Theme) -> None:
    """Draw three cosines per view: the method's to the exact one and to the gradient, and the exact one's to it."""
    for number, (offset, series) in enumerate(zip(_OFFSETS, chart.series, strict=True)):
        known = [(place + offset, dot) for place, row in enumerate(rows) if (dot := row.dots[number])]
        colour = theme.families[series.look.family]
        axes.hlines(
            [place for place, _ in known], [dot.low for _, dot in known], [dot.high for _, dot in known],
            color=colour, linewidth=1.6,
        )  # fmt: skip
        axes.plot(
            [dot.value for _, dot in known], [place for place, _ in known], marker_of(series.look), color=colour,
            markersize=4.5, label=series.name,
        )  # fmt: skip
    axes.set_xlim(*chart.scale)
    axes.set_xticks(chart.ticks, [f"{tick:g}" for tick in chart.ticks])
    axes.grid(axis="x")
