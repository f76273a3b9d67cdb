"""Whether the reason given for Eva holds, as tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from evabench.records.mechanism import (
    Approximation,
    FactorEnergy,
    LayerDirections,
    LayerEnergy,
    Mechanism,
    MechanismProbe,
    View,
)
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.settings.choices import WeightSharing
from evabench.stats.spreads import Spread

Side = Literal["inputs", "output gradients"]
SIDES: tuple[Side, ...] = ("inputs", "output gradients")
_SEEDS = "A cell: median over seeds [lowest seed, highest seed]"
ROWS: Mapping[WeightSharing, str] = {"reduce": "samples", "expand": "positions"}
_SHARES: Mapping[str, Callable[[FactorEnergy], float | None]] = {
    "mean": lambda factor: factor.mean_share,
    "along": lambda factor: factor.along_share,
    "best": lambda factor: factor.top_share,
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method of rank one and the one that it approximates: their titles, and where their numbers are."""

    name: str
    exact: str
    of_net: Callable[[View], Approximation]
    curvature: Callable[[LayerDirections], float | None]


METHODS = (
    Method("Eva", "K-FAC", lambda view: view.eva, lambda layer: layer.eva_curvature),
    Method("Eva-f", "FOOF", lambda view: view.eva_f, lambda layer: layer.eva_f_curvature),
    Method("Eva-s", "Shampoo", lambda view: view.eva_s, lambda layer: layer.eva_s_curvature),
)
_COSINES: tuple[Callable[[Approximation], float | None], ...] = (
    lambda direction: direction.to_exact,
    lambda direction: direction.to_gradient,
    lambda direction: direction.exact_to_gradient,
)
_LENGTHS: tuple[Callable[[View], float | None], ...] = (
    lambda view: view.kl_size,
    lambda view: view.clip_factor,
    lambda view: view.step_gain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A model at one probe, in all seeds that reached it."""

    words: str  # "start", "150 steps of Eva"
    probes: tuple[MechanismProbe, ...]

    def spread(self, read: Callable[[MechanismProbe], float | None]) -> Spread | None:
        """Return a number of each seed's probe."""
        return Spread.of(read(probe) for probe in self.probes)


def moments(workload: WorkloadReport, *, ends_only: bool = False) -> tuple[Moment, ...]:
    """Return the start, which all arms share, and the later probes of each arm, or only its last one."""
    found: dict[str, Moment] = {}
    for arm in workload.arms:
        by_step: dict[int, list[MechanismProbe]] = {}
        for probe in (probe for run in arm.records_of(Mechanism) for probe in run.probes if probe.loss is not None):
            by_step.setdefault(probe.step, []).append(probe)
        for step, probes in by_step.items():
            words = f"{step} steps of {arm.name}" if step else "start"
            if step in (0, max(by_step)) or not ends_only:
                found.setdefault(words, Moment(words=words, probes=tuple(probes)))
    return tuple(found.values())


def entry(factors: tuple[FactorEnergy, ...], rows: WeightSharing) -> FactorEnergy:
    """Return what is told of a factor with these rows; the only entry where both kinds of rows are the same."""
    return next((factor for factor in factors if factor.rows == rows), factors[0])


def sharings(probe: MechanismProbe) -> tuple[WeightSharing, ...]:
    """Return the kinds of rows that differ in any layer."""
    return ("reduce", "expand") if any(len(layer.inputs) > 1 for layer in probe.layers) else ("expand",)


def shares_table(workload: WorkloadReport, side: Side) -> Table | None:
    """Return how much of the factors of one side the means hold; None where nothing was probed."""
    rows = [
        (
            moment.words,
            ROWS[sharing] if len(kinds) > 1 else ROWS["reduce"],
            *(_share_cell(moment, side, read, sharing) for read in _SHARES.values()),
        )
        for moment in moments(workload)
        for kinds in [sharings(moment.probes[0])]
        for sharing in kinds
    ]
    if not rows:
        return None
    return Table(
        title=f"How much of a Kronecker factor its mean holds: {side}",
        headings=("model", "rows", *_SHARES),
        rows=tuple(rows),
        note=(
            "Shares of the factor's trace, the median over the layers. Mean: |m|^2 of its mean row m, which is all "
            "that Eva keeps. Along: what lies in the direction of m; a mean of zero, as before a batch norm, has none. "
            "Best: the largest eigenvalue. Rows: what is averaged, samples (K-FAC reduce) or the positions of a "
            f"sequence or an image (expand). {_SEEDS}."
        ),
        text=frozenset({"rows"}),
    )


def directions_table(workload: WorkloadReport, method: Method) -> Table | None:
    """Return where a method steps, beside the one that it approximates; None where nothing was probed."""
    name, exact = method.name, method.exact
    rows = [
        (
            view.name,
            moment.words,
            *(_spread_cell(moment.spread(_net_reader(method, place, read))) for read in _COSINES),
        )
        for moment in moments(workload, ends_only=True)
        for place, view in enumerate(moment.probes[0].views)
    ]
    if not rows:
        return None
    return Table(
        title=f"Does {name} step where {exact} does?",
        headings=("view", "model", f"{name}, {exact}", f"{name}, gradient", f"{exact}, gradient"),
        rows=tuple(rows),
        note=f"Cosines of the directions of one batch, all layers as one vector. {_SEEDS}; one number if they agree.",
        text=frozenset({"model"}),
    )


def term_table(workload: WorkloadReport, method: Method) -> Table | None:
    """Return how large the term of rank one is beside the damping; None where nothing was probed."""
    rows = [
        (
            view.name,
            moment.words,
            _spread_cell(moment.spread(_net_reader(method, place, lambda direction: direction.changed))),
            _ends_cell(moment, method, place),
        )
        for moment in moments(workload, ends_only=True)
        for place, view in enumerate(moment.probes[0].views)
    ]
    if not rows:
        return None
    return Table(
        title=f"How large is the rank-one term of {method.name}?",
        headings=("view", "model", "changed", "curvature / damping"),
        rows=tuple(rows),
        note=(
            f"Changed: what the term takes out of the gradient, over the gradient. {_SEEDS}. Curvature: the only "
            "eigenvalue that is not 0, in the layer where it is smallest and where it is largest, medians over seeds."
        ),
        text=frozenset({"model"}),
    )


def step_length_table(workload: WorkloadReport) -> Table | None:
    """Return the KL size of Eva's step and what its clip does; None where nothing was probed."""
    settings = workload.mechanism_settings
    rows = [
        (view.name, moment.words, *(_spread_cell(moment.spread(_view_reader(place, read))) for read in _LENGTHS))
        for moment in moments(workload, ends_only=True)
        for place, view in enumerate(moment.probes[0].views)
    ]
    if not rows or settings is None:
        return None
    return Table(
        title="How long is Eva's step?",
        headings=("view", "model", "KL size", "clip factor", "step / SGD's"),
        rows=tuple(rows),
        note=(
            f"KL size: lr^2 <P, G> before the clip, at lr {settings.lr:g}; above {settings.kl_clip:g} the clip factor "
            "is below 1. The last column is the length of the clipped step over that of SGD's at the same learning "
            f"rate. {_SEEDS}."
        ),
        text=frozenset({"model"}),
    )


_SIDES: Mapping[Side, Callable[[LayerEnergy], tuple[FactorEnergy, ...]]] = {
    "inputs": lambda layer: layer.inputs,
    "output gradients": lambda layer: layer.output_gradients,
}


def _share_cell(
    moment: Moment, side: Side, read: Callable[[FactorEnergy], float | None], sharing: WeightSharing
) -> str:
    """Return the spread, and of how many layers it is where some have no such share."""
    layers = moment.probes[0].layers
    num_layers = sum(read(entry(_SIDES[side](layer), sharing)) is not None for layer in layers)
    cell = _spread_cell(moment.spread(_share_reader(side, read, sharing)))
    return cell if num_layers in (0, len(layers)) else f"{cell}, {num_layers} of {len(layers)} layers"


def _share_reader(
    side: Side, read: Callable[[FactorEnergy], float | None], sharing: WeightSharing
) -> Callable[[MechanismProbe], float | None]:
    """Return a function of a probe: the median over its layers."""
    factors = _SIDES[side]

    def of_probe(probe: MechanismProbe) -> float | None:
        shares = [read(entry(factors(layer), sharing)) for layer in probe.layers]
        there = [share for share in shares if share is not None]
        return median(there) if there else None

    return of_probe


def _net_reader(
    method: Method, place: int, read: Callable[[Approximation], float | None]
) -> Callable[[MechanismProbe], float | None]:
    return lambda probe: read(method.of_net(probe.views[place]))


def _view_reader(place: int, read: Callable[[View], float | None]) -> Callable[[MechanismProbe], float | None]:
    return lambda probe: read(probe.views[place])


def _ends_cell(moment: Moment, method: Method, place: int) -> str:
    """Return the smallest and the largest layer: medians over the seeds, of a number that each layer has."""
    by_layer = [
        Spread.of(method.curvature(probe.views[place].layers[number]) for probe in moment.probes)
        for number in range(len(moment.probes[0].layers))
    ]
    middles = [spread.middle for spread in by_layer if spread]
    return f"{_number(min(middles))} to {_number(max(middles))}" if middles else NOT_MEASURED


def _spread_cell(spread: Spread | None) -> str:
    if spread is None:
        return NOT_MEASURED
    middle, low, high = (_number(value) for value in (spread.middle, spread.low, spread.high))
    return middle if low == high else f"{middle} [{low}, {high}]"


def _number(value: float) -> str:
    """Return three significant digits; what is smaller than the rounding of the probes is only said to be."""
    return "< 1e-15" if 0 < abs(value) < 1e-15 else f"{value:.3g}"
