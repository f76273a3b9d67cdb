"""docs/mechanism.md: sentences about directions and factors, from the runs of suite `mechanism`."""

from collections.abc import Callable, Container, Iterable, Iterator
from statistics import median

from evabench.records.mechanism import Approximation, LayerEnergy, Mechanism, MechanismProbe, View
from evabench.settings.choices import WeightSharing
from tools.docs_figures.page import Computed, ComputedWords
from tools.docs_figures.stored import runs_of, significant, spread

_AUTOENCODER, _RESNET, _GPT = "autoencoder", "resnet20-narrow", "gpt-small"
_START, _AFTER = 0, -1
AUTHORS, PER_EXAMPLE = "authors'", "per example"
_PLAIN = 1e-3
_ROUNDING = 1e-15
Read = Callable[[MechanismProbe], float]


def computed() -> Iterator[Computed]:
    """Yield the sentences with their figures."""
    for text in (*_for_eva(), *_against(), *_of_eva_f_and_eva_s()):
        yield ComputedWords(page="mechanism.md", text=text)


def _for_eva() -> Iterator[str]:
    losses = (_over_seeds(net, _AFTER, lambda probe: probe.loss or 0.0) for net in (_AUTOENCODER, _RESNET, _GPT))
    yield f"whose losses were {', '.join(losses)}"
    auto, resnet, gpt = (
        [
            _over_seeds(net, at, lambda probe, rows=rows: _median_share(probe.layers, _inputs, rows), 3, fixed=True)
            for at in (_START, _AFTER)
        ]
        for net, rows in ((_AUTOENCODER, "expand"), (_RESNET, "reduce"), (_GPT, "reduce"))
    )
    yield (
        f"autoencoder {auto[0]} at the start, {auto[1]} after; ResNet-20 (rows are samples, for GPT too) {resnet[0]} "
        f"and {resnet[1]}; GPT {gpt[0]} and {gpt[1]}"
    )
    along = [
        median(_median_share(probe.layers, _along, "reduce") for probe in _probes(net, at))
        for net in (_AUTOENCODER, _RESNET, _GPT)
        for at in (_START, _AFTER)
    ]
    yield f"What lies along the mean is {min(along):.2f} to {max(along):.2f} of the trace in the median layer"
    yield f"cosine of Eva and K-FAC {_cosines(_AUTOENCODER, _START, 'damping 3e-6', 'of K-FAC and the gradient')}"
    yield f"GPT at the start, damping 0.03 per example: {_cosines(_GPT, _START, PER_EXAMPLE, 'against', comma=False)}"
    yield f"GPT, damping 3e-4, {_cosines(_GPT, _AFTER, 'damping 3e-4', 'against', comma=False)}"


def _against() -> Iterator[str]:
    def changed(net: str, at: int) -> str:
        return spread([_view(probe, AUTHORS).eva.changed or 0.0 for probe in _probes(net, at)], _power)

    auto, gpt = ([changed(net, at).split(" [")[0] for at in (_START, _AFTER)] for net in (_AUTOENCODER, _GPT))
    resnet = changed(_RESNET, _START)
    yield (
        f"The rank-one term changes, start and after: autoencoder {auto[0]} and {auto[1]} of the gradient, GPT "
        f"{gpt[0]} and {gpt[1]}, ResNet-20 {resnet} and {changed(_RESNET, _AFTER)}."
    )
    layers = [layer for probe in _probes() for layer in _view(probe, AUTHORS).layers]
    sizes = [layer.eva_curvature for layer in layers if layer.eva_curvature is not None]
    below = sum(size < 1e-4 for size in sizes) / len(sizes)
    yield (
        f"Its curvature is at most {significant(max(sizes), 1)} of the damping in any layer, probe and seed, and below "
        f"1e-4 in {100 * below:.0f} % of them"
    )
    views = [_view(probe, AUTHORS).eva for probe in _probes()]
    yield (
        f"its cosine with the gradient is {min(one.to_gradient or 0.0 for one in views):.4f} at least, K-FAC's at the "
        f"same settings {min(one.exact_to_gradient or 0.0 for one in views):.3f}"
    )
    clip = _over_seeds(_AUTOENCODER, _AFTER, lambda probe: _view(probe, AUTHORS).clip_factor or 0.0, 2)
    yield f"(factor 1 at the start, {clip} after)"
    others = [_view(probe, AUTHORS) for net in (_RESNET, _GPT) for probe in _probes(net)]
    gains, factors = [one.step_gain or 0.0 for one in others], [one.clip_factor or 0.0 for one in others]
    yield (
        f"{min(gains):.1f} to {max(gains):.0f} times on the other two, where it always does (factor "
        f"{min(factors):.2f} to {max(factors):.2f})"
    )
    shares = [
        _over_seeds(net, _AFTER, lambda probe, rows=rows: _median_share(probe.layers, _outputs, rows), 3, fixed=True)
        for net, rows in ((_AUTOENCODER, "expand"), (_GPT, "reduce"), (_GPT, "expand"))
    ]
    yield (
        f"Share of tr B, after: autoencoder {shares[0]}, GPT {shares[1]} with samples as rows and {shares[2]} with "
        "positions"
    )
    without = {
        sum(all((share or 0.0) < _ROUNDING for _, share in _outputs(layer)) for layer in probe.layers)
        for probe in _probes(_RESNET)
    }
    (number,) = without  # the same layers at every probe of every seed
    yield f"In {number} of ResNet-20's {len(_probes(_RESNET)[0].layers)} layers |b|^2 is below 1e-15 of tr B"
    yield (
        f"autoencoder, damping 3e-6, {_cosines(_AUTOENCODER, _AFTER, 'damping 3e-6', 'against', comma=False)}; "
        f"ResNet-20, damping 0.03 per example, {_cosines(_RESNET, _AFTER, PER_EXAMPLE, 'against', comma=False)}"
    )


def _of_eva_f_and_eva_s() -> Iterator[str]:
    sizes = [layer.eva_f_curvature or 0.0 for probe in _probes() for layer in _view(probe, AUTHORS).layers]
    yield f"(|a|^2 is {min(sizes):.0f} to {max(sizes):,.0f} times the damping)"

    def follows(net: str, at: int) -> str:
        return _over_seeds(net, at, lambda probe: _view(probe, AUTHORS).eva_f.to_exact or 0.0, 3, fixed=True)

    yield (
        f"it follows FOOF at the start ({follows(_AUTOENCODER, _START)} on the autoencoder, {follows(_GPT, _START)} on "
        f"GPT), less so after: {follows(_AUTOENCODER, _AFTER)} and {follows(_GPT, _AFTER)}"
    )
    usual = [_view(probe, AUTHORS).eva_s for record in _records(arms=("Eva", "SGD")) for probe in record.probes]
    weak = [_view(probe, "damping 3e-6").eva_s.changed or 0.0 for probe in _probes(_RESNET, _START)]
    cosines = [one.to_exact or 0.0 for one in usual]
    yield (
        f"at damping 0.03 its term is at most {_power(max(one.changed or 0.0 for one in usual))} of the gradient in "
        f"any probe and seed (at the start of ResNet-20 with less damping up to {max(weak):.2f}), and its cosine with "
        f"Shampoo, {min(cosines):.2f} to {max(cosines):.2f}"
    )


def _records(net: str | None = None, arms: Container[str] = ("Eva",)) -> Iterator[Mechanism]:
    for run in runs_of("mechanism"):
        if run.cell.arm in arms and net in (None, run.cell.workload_name) and isinstance(run.measured, Mechanism):
            yield run.measured


def _probes(net: str | None = None, at: int | None = None) -> list[MechanismProbe]:
    return [probe for record in _records(net) for probe in (record.probes if at is None else [record.probes[at]])]


def _view(probe: MechanismProbe, name: str) -> View:
    (view,) = (view for view in probe.views if view.name == name)
    return view


def _over_seeds(net: str, at: int, read: Read, digits: int = 3, *, fixed: bool = False) -> str:
    values = [read(probe) for probe in _probes(net, at)]
    return spread(
        values, lambda value: f"{value:.{digits}f}" if fixed else significant(value, digits).removesuffix(".0")
    )


def _power(value: float) -> str:
    """Return "2.9e-8", and "0.012" where that is as short."""
    if value >= _PLAIN:
        return significant(value, 2)
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _cosines(net: str, at: int, view: str, words: str, *, comma: bool = True) -> str:
    def of(read: Callable[[Approximation], float | None]) -> str:
        return _over_seeds(net, at, lambda probe: read(_view(probe, view).eva) or 0.0, 3, fixed=True)

    between = f", {words} " if comma else f" {words} "
    return of(lambda one: one.to_exact) + between + of(lambda one: one.exact_to_gradient)


def _inputs(layer: LayerEnergy) -> Iterable[tuple[WeightSharing, float | None]]:
    return [(factor.rows, factor.mean_share) for factor in layer.inputs]


def _along(layer: LayerEnergy) -> Iterable[tuple[WeightSharing, float | None]]:
    return [(factor.rows, factor.along_share) for factor in layer.inputs]


def _outputs(layer: LayerEnergy) -> Iterable[tuple[WeightSharing, float | None]]:
    return [(factor.rows, factor.mean_share) for factor in layer.output_gradients]


def _median_share(
    layers: Iterable[LayerEnergy],
    side: Callable[[LayerEnergy], Iterable[tuple[WeightSharing, float | None]]],
    rows: str,
) -> float:
    """Return the median layer's share; a layer whose samples have one position tells one kind of row alone."""
    shares = []
    for layer in layers:
        found = dict(side(layer))
        share = found.get("reduce" if rows == "reduce" else "expand", found.get("expand"))
        if share is not None:
            shares.append(share)
    return median(shares)
