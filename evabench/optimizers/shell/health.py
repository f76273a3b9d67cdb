"""What an optimizer says about its own health."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor

from evabench.optimizers.layers.layers import Preconditioned
from evabench.records.health import Health

__all__ = ["Health", "health", "layers_without"]


class Reporting(Protocol):
    """An optimizer that knows how it fares."""

    def health(self) -> Health:
        """Return it; waits for the device."""


def health(optimizer: Reporting) -> Health:
    """Return what has gone wrong so far, beside `coverage`: steps skipped, by layer, and trouble with factorisations.

    It waits for the device, so it is for between steps.
    """
    return optimizer.health()


def layers_without(
    layers: Sequence[Preconditioned], states: Mapping[Tensor, Mapping[str, Tensor]], name: str
) -> tuple[str, ...]:
    """Return the layers that have no statistic of this name, or one without a value; waits for the device."""
    return tuple(
        layer.name
        for layer in layers
        if name not in states.get(layer.weight, {}) or bool(states[layer.weight][name].isnan().any())
    )
