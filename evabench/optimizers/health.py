"""What an optimizer says about its own health."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from evabench.optimizers.layers import Preconditioned
from evabench.records.health import Health

__all__ = ["Health", "layers_without"]


def layers_without(
    layers: Sequence[Preconditioned], states: Mapping[Tensor, Mapping[str, Tensor]], name: str
) -> tuple[str, ...]:
    """Return the layers that have no statistic of this name, or one without a value; waits for the device."""
    return tuple(
        layer.name
        for layer in layers
        if name not in states.get(layer.weight, {}) or bool(states[layer.weight][name].isnan().any())
    )
