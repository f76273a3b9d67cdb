"""The Kronecker factors of one batch beside the means of their rows, layer by layer.

A row is what K-FAC takes for one, "expand" or "reduce" (`FactorSums`), the output gradients those of each example's own
loss. Where a sample has a single position both are the same, and are told once.
"""

from typing import final

from torch import Tensor, nn

from evabench.measurement.mechanism.rank_one_shares import known, trace_shares
from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.capture.sums import Sums
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.layers.layers import Layer, Module
from evabench.optimizers.layers.parts import LayerParts
from evabench.records.mechanism import FactorEnergy, LayerEnergy
from evabench.settings.choices import WeightSharing

_SHARINGS: tuple[WeightSharing, ...] = ("expand", "reduce")


@final
class RowSums:
    """Sums of the rows of factors, where `FactorSums` sums their outer products."""

    def __init__(self, factors: FactorSums) -> None:
        self._factors = factors
        self.rows_are_samples = factors.rows_are_samples
        self.sums_are_bias_gradients = False

    def of_inputs(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return [d_in], or [groups, d_in], with a trailing 1 per row for a bias."""
        return self._factors.input_rows(layer, module, values).sum(-2)

    def of_output_gradients(self, layer: Layer, module: Module, values: Tensor) -> Tensor:
        """Return [d_out], or [groups, d_out]."""
        return self._factors.output_gradient_rows(layer, module, values).sum(-2)


@final
class FactorCapture:
    """Watches the layers of a model over both passes of one batch."""

    def __init__(self, model: nn.Module) -> None:
        parts = LayerParts(model)
        layers = parts.layers
        self._factors, self._means = {}, {}
        for sharing in _SHARINGS:
            summary = FactorSums(sharing, "per_example")
            self._factors[sharing] = Capture(layers, summary, parts=parts)
            self._means[sharing] = Capture(layers, RowSums(summary), parts=parts)

    @property
    def layers(self) -> list[Layer]:
        """Return the layers that took part in both passes."""
        return [layer for layer in self._factors["expand"].layers if layer in self._factors["expand"].sums]

    def energies(self) -> tuple[LayerEnergy, ...]:
        """Return what the means hold of the factors of these layers."""
        return tuple(self._of_layer(layer) for layer in self.layers)

    def _of_layer(self, layer: Layer) -> LayerEnergy:
        inputs, output_gradients = [], []
        num_rows = {sharing: self._factors[sharing].sums[layer].num_rows for sharing in _SHARINGS}
        for sharing in _SHARINGS if len(set(num_rows.values())) > 1 else _SHARINGS[:1]:
            factors, means = self._factors[sharing].sums[layer], self._means[sharing].sums[layer]
            inputs.append(_energy(sharing, factors.inputs, means.inputs, factors))
            assert factors.output_gradients is not None
            assert means.output_gradients is not None
            output_gradients.append(_energy(sharing, factors.output_gradients, means.output_gradients, factors))
        return LayerEnergy(
            name=layer.name, kind=layer.kind, inputs=tuple(inputs), output_gradients=tuple(output_gradients)
        )


def _energy(sharing: WeightSharing, outer: Tensor, rows: Tensor, sums: Sums) -> FactorEnergy:
    # The number of examples, which undoes a mean loss, multiplies both sides of every share and is left out.
    shares = trace_shares(outer / sums.num_rows, rows / sums.num_rows)
    return FactorEnergy(
        rows=sharing,
        size=outer.shape[-1],
        mean_share=known(shares.mean),
        along_share=known(shares.along),
        top_share=known(shares.top),
    )
