"""What the means hold of the factors, and where each method steps, as charts."""

from collections.abc import Callable, Iterable

from evabench.records.mechanism import Approximation, FactorEnergy
from evabench.reporting.charts.chart import Dot, DotRow, Dots, Line, Lines, Look, Series, View
from evabench.reporting.tables.mechanism import METHODS, ROWS, SIDES, Moment, Side, entry, sharings
from evabench.settings.choices import WeightSharing
from evabench.stats.spreads import Spread

# What is held against what; the look of each is that of the picture.
COSINES: tuple[tuple[str, Look, Callable[[Approximation], float | None]], ...] = (
    ("to the method it approximates", Look("eva", 0), lambda direction: direction.to_exact),
    ("to the gradient", Look("first-order", 1), lambda direction: direction.to_gradient),
    ("of that method to the gradient", Look("kfac", 2), lambda direction: direction.exact_to_gradient),
)


def shares_chart(moment: Moment) -> Lines:
    """Return what the mean and the best direction hold of each layer's factors, one view a side."""
    views = tuple(View(name=side, label="layer, from the input") for side in SIDES)
    lines = [
        line for side in SIDES for kind in sharings(moment.probes[0]) for line in _shares_lines(moment, side, kind)
    ]
    return Lines(
        views=views,
        lines=tuple(line for line in lines if line.x),
        y_label="share of the factor's trace",
        y_range=(-0.03, 1.03),
        dotted=True,
        of_arms=False,
        x_name="layer",
    )


def cosines_chart(moment: Moment) -> Dots:
    """Return three cosines a kind of settings, one view a method of rank one."""
    names = [view.name for view in moment.probes[0].views]
    methods = [(f"{method.name} for {method.exact}", method) for method in METHODS]
    return Dots(
        views=tuple(View(name=name, label="cosine, all layers as one vector") for name, _ in methods),
        series=tuple(Series(name=name, look=look) for name, look, _ in COSINES),
        rows=tuple(
            DotRow(
                name=own,
                view=name,
                dots=tuple(
                    _dot(read(method.of_net(probe.views[place])) for probe in moment.probes) for *_, read in COSINES
                ),
            )
            for name, method in methods
            for place, own in enumerate(names)
        ),
        scale=(-0.06, 1.06),
        ticks=(0.0, 0.5, 1.0),
    )


def factors_of(moment: Moment, side: Side, number: int, kind: WeightSharing) -> list[FactorEnergy]:
    """Return the factors of one side of a layer, one a seed."""
    layers = [probe.layers[number] for probe in moment.probes]
    return [entry(layer.inputs if side == "inputs" else layer.output_gradients, kind) for layer in layers]


def shares_of(moment: Moment, side: Side, kind: WeightSharing, name: str) -> list[tuple[int, Spread]]:
    """Return the number of each layer that has this share, with its spread over the seeds."""
    spreads = (
        (number + 1, Spread.of(getattr(factor, name) for factor in factors_of(moment, side, number, kind)))
        for number in range(len(moment.probes[0].layers))
    )
    return [(number, spread) for number, spread in spreads if spread]


def rows_words(moment: Moment, kind: WeightSharing) -> str:
    """Return ", rows are samples" where it matters what a row is; else nothing."""
    return f", rows are {ROWS[kind]}" if len(sharings(moment.probes[0])) > 1 else ""


def _shares_lines(moment: Moment, side: Side, kind: WeightSharing) -> tuple[Line, Line]:
    rows, number = rows_words(moment, kind), 0 if kind == sharings(moment.probes[0])[0] else 1
    mean, best = (shares_of(moment, side, kind, name) for name in ("mean_share", "top_share"))
    return (
        Line(
            arm=f"mean{rows}",
            look=Look("eva", number),
            x=tuple(float(place) for place, _ in mean),
            y=tuple(spread.middle for _, spread in mean),
            band_x=tuple(float(place) for place, _ in mean),
            low=tuple(spread.low for _, spread in mean),
            high=tuple(spread.high for _, spread in mean),
            scale={side: 1.0},
        ),
        Line(
            arm=f"best direction{rows}",
            look=Look("first-order", number),
            x=tuple(float(place) for place, _ in best),
            y=tuple(spread.middle for _, spread in best),
            scale={side: 1.0},
        ),
    )


def _dot(values: Iterable[float | None]) -> Dot | None:
    spread = Spread.of(values)
    return Dot(value=spread.middle, low=spread.low, high=spread.high) if spread else None
