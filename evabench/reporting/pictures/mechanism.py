"""The pictures of what the reason given for Eva comes to."""

from evabench.records.mechanism import Approximation, FactorEnergy, Mechanism
from evabench.reporting.charts.rate import rate_chart
from evabench.reporting.pictures.picture import ROW_INCHES, Picture, make_picture, plain_log_ticks, short
from evabench.reporting.pictures.plain_matplotlib import Axes, Figure
from evabench.reporting.pictures.styles import Looks
from evabench.reporting.pictures.theme import Theme
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.mechanism import METHODS, ROWS, SIDES, Moment, Side, entry, moments, sharings
from evabench.settings.choices import WeightSharing
from evabench.settings.eva import EvaSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.stats.spreads import Spread


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
    found = {
        side: [middle(moment, side, number, kinds[0], "mean_share") for number in _layers(moment)] for side in SIDES
    }
    words = "; ".join(
        f"{side}: {min(values):.2g} to {max(values):.2g} of the trace over the layers"
        for side, shares in found.items()
        if (values := [share for share in shares if share is not None])
    )
    return make_picture("shares", title, f"{title}. {words}.", 3.4, draw)


def directions_picture(workload: WorkloadReport) -> Picture | None:
    """Return the cosines of each method of rank one, at the last probe; None where nothing was probed."""
    moment = last_moment(workload)
    if moment is None:
        return None
    views = [view.name for view in moment.probes[0].views]

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, len(METHODS), sharey=True)
        for panel, method in zip(panels, METHODS, strict=True):
            directions = [[method.of_net(probe.views[place]) for probe in moment.probes] for place in range(len(views))]
            _draw_cosines(panel, directions, theme)
            panel.set_title(f"{method.name} for {method.exact}", fontsize=9.5, loc="left", color=theme.muted)
        panels[0].set_yticks(range(len(views)), [short(view) for view in views])
        panels[0].set_ylim(len(views) - 0.5, -0.5)
        panels[1].set_xlabel("cosine, all layers as one vector")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, handlelength=1.2)

    title = f"Where each method steps: {moment.words}"
    words = "; ".join(
        f"{method.name} and {method.exact} {spread.middle:.2f} in the view {view}"
        for method in METHODS
        for place, view in (enumerate(views) if len(views) < 3 else ((0, views[0]), (len(views) - 1, views[-1])))
        if (spread := Spread.of(method.of_net(probe.views[place]).to_exact for probe in moment.probes))
    )
    return make_picture("directions", title, f"{title}. Cosines: {words}.", ROW_INCHES * len(views) + 1.35, draw)


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
        axes.set_xlabel(f"{chart.x_label}; bar: the seeds")
        axes.grid(axis="x", which="major")
        figure.legend(loc="outside upper left", frameon=False, handlelength=1.6)

    title = f"Steps to a tenth of the excess loss, condition {settings.condition:g}"
    words = "; ".join(f"{row.arm} {row.words}" for row in chart.rows)
    return make_picture("rate", title, f"{title}: {words}.", ROW_INCHES * len(chart.rows) + 1.25, draw, chart)


def last_moment(workload: WorkloadReport) -> Moment | None:
    """Return the last probe of the arm that is Eva, else of the first arm that was probed."""
    eva = [arm.name for arm in workload.arms if isinstance(arm.optimizer, EvaSettings) and arm.records_of(Mechanism)]
    ends = moments(workload, ends_only=True)
    of_eva = [moment for moment in ends if moment.words.endswith(f" of {eva[0]}")] if eva else []
    last = of_eva or ends
    return last[-1] if last else None


def middle(moment: Moment, side: Side, number: int, kind: WeightSharing, name: str) -> float | None:
    """Return the median over the seeds of one share of one layer."""
    spread = Spread.of(getattr(factor, name) for factor in _factors(moment, side, number, kind))
    return spread.middle if spread else None


def _layers(moment: Moment) -> range:
    return range(len(moment.probes[0].layers))


def _factors(moment: Moment, side: Side, number: int, kind: WeightSharing) -> list[FactorEnergy]:
    layers = [probe.layers[number] for probe in moment.probes]
    return [entry(layer.inputs if side == "inputs" else layer.output_gradients, kind) for layer in layers]


def _draw_shares(axes: Axes, moment: Moment, side: Side, kind: WeightSharing, theme: Theme) -> None:
    """Draw the mean's share with the seeds' ends, and the best direction's, which no rank-one matrix exceeds."""
    places = [number + 1 for number in _layers(moment)]
    rows = f", rows are {ROWS[kind]}" if _has_positions(moment) else ""
    fill = theme.families["eva"] if kind == "reduce" or not rows else "none"
    spreads = [Spread.of(f.mean_share for f in _factors(moment, side, number, kind)) for number in _layers(moment)]
    known = [(place, spread) for place, spread in zip(places, spreads, strict=True) if spread]
    axes.vlines(
        [place for place, _ in known], [spread.low for _, spread in known], [spread.high for _, spread in known],
        color=theme.families["eva"], linewidth=1.6,
    )  # fmt: skip
    axes.plot(
        [place for place, _ in known], [spread.middle for _, spread in known], "o", color=theme.families["eva"],
        markerfacecolor=fill, markersize=4.5, label=f"outer product of the mean{rows}",
    )  # fmt: skip
    best = [(place, middle(moment, side, place - 1, kind, "top_share")) for place in places]
    line = "-" if kind == "reduce" or not rows else ":"
    shown = [(place, share) for place, share in best if share is not None]
    axes.plot(
        [place for place, _ in shown], [share for _, share in shown], line, color=theme.muted, linewidth=1.2,
        label=f"best direction{rows}",
    )  # fmt: skip


def _has_positions(moment: Moment) -> bool:
    return len(sharings(moment.probes[0])) > 1


def _draw_cosines(axes: Axes, directions: list[list[Approximation]], theme: Theme) -> None:
    """Draw three cosines per view: the method's to the exact one and to the gradient, and the exact one's to it."""
    series = (
        ("to the method it approximates", "o", theme.families["eva"], "to_exact"),
        ("to the gradient", "s", theme.muted, "to_gradient"),
        ("of that method to the gradient", "^", theme.families["kfac"], "exact_to_gradient"),
    )
    for offset, (label, marker, colour, name) in zip((-0.22, 0.0, 0.22), series, strict=True):
        spreads = [Spread.of(getattr(direction, name) for direction in view) for view in directions]
        known = [(place + offset, spread) for place, spread in enumerate(spreads) if spread]
        axes.hlines(
            [place for place, _ in known], [spread.low for _, spread in known], [spread.high for _, spread in known],
            color=colour, linewidth=1.6,
        )  # fmt: skip
        axes.plot(
            [spread.middle for _, spread in known], [place for place, _ in known], marker, color=colour, markersize=4.5,
            label=label,
        )  # fmt: skip
    axes.set_xlim(-0.06, 1.06)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(axis="x")
