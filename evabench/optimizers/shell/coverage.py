"""What an optimizer really preconditions: layer by layer, and as a share of the parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from evabench.optimizers.layers.layers import Layer, Preconditioned, Rest
from evabench.optimizers.layers.weights import Weight
from evabench.optimizers.shell.health import Health

Treatment = Literal["preconditioned", "plain gradient", "frozen"]


@runtime_checkable
class LayerAware(Protocol):
    """Any optimizer, ours or a plug-in, that knows its layers, the rest of the model, and what lacks statistics."""

    @property
    def layers(self) -> Sequence[Preconditioned]:
        """What has a curvature."""

    @property
    def rest(self) -> Sequence[Rest]:
        """What has none, with the reason."""

    def health(self) -> Health:
        """Name the layers without statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCoverage:
    """How the parameters of one module are treated."""

    name: str
    kind: str  # the class of the module
    treatment: Treatment
    reason: str  # of a preconditioned one, what of its curvature is left out
    num_parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All modules with parameters of their own; a shared parameter counts once."""

    layers: tuple[LayerCoverage, ...]
    share: float  # preconditioned parameters / parameters that are trained

    def __str__(self) -> str:
        """Return a table, one module per line."""
        lines = [
            f"{each.name} ({each.kind}, {each.num_parameters}): {each.treatment}"
            + (f", {each.reason}" if each.reason else "")
            for each in self.layers
        ]
        return "\n".join([*lines, f"preconditioned: {self.share:.1%} of the trained parameters"])


def coverage(optimizer: LayerAware) -> Coverage:
    """Return how each layer is treated, as the steps so far have shown; waits for the device.

    Before the first step nothing has statistics, so that nothing is preconditioned.
    """
    found = optimizer.health()
    rows = [_of_layer(layer, found) for layer in optimizer.layers]
    rows += [_of_rest(rest) for rest in optimizer.rest]
    counts = {treatment: 0 for treatment in ("preconditioned", "plain gradient", "frozen")}
    for row in rows:
        counts[row.treatment] += row.num_parameters
    num_trained = counts["preconditioned"] + counts["plain gradient"]
    return Coverage(layers=tuple(rows), share=counts["preconditioned"] / num_trained if num_trained else 0.0)


def _of_layer(layer: Preconditioned, found: Health) -> LayerCoverage:
    treatment: Treatment = "preconditioned"
    reason = layer.note if isinstance(layer, Weight) else ""
    if not layer.weight.requires_grad:
        treatment, reason = "frozen", "since the optimizer was made"
    elif isinstance(layer, Layer) and layer.bias is not None and not layer.bias.requires_grad:
        treatment, reason = "plain gradient", "its bias was frozen since the optimizer was made: make a new optimizer"
    elif layer.name in found.why_plain or layer.name in found.layers_without_statistics:
        treatment = "plain gradient"
        reason = found.why_plain.get(layer.name, layer.why_idle)
    return LayerCoverage(
        name=layer.name,
        kind=layer.kind,
        treatment=treatment,
        reason=reason,
        num_parameters=sum(parameter.numel() for parameter in layer.parameters),
    )


def _of_rest(rest: Rest) -> LayerCoverage:
    trained = [parameter for parameter in rest.parameters if parameter.requires_grad]
    return LayerCoverage(
        name=rest.name,
        kind=rest.kind,
        treatment="plain gradient" if trained else "frozen",
        reason=rest.reason if trained else "",
        num_parameters=sum(parameter.numel() for parameter in trained or rest.parameters),
    )
