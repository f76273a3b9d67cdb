"""The layers whose factors K-FAC and FOOF keep."""

from functools import partial

from torch import nn

from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.layers.parts import Exclude, LayerParts
from evabench.optimizers.layers.sizes import check_memory, factors_of, lacks_room

WAYS_OUT = "Leave it out with max_factor or exclude, or use Eva, which keeps vectors only."


def find_parts(
    model: nn.Module, *, batch_first: bool | None, exclude: Exclude, max_factor: int | None, both_sides: bool
) -> LayerParts:
    """Return them and the rest; raise `ValueError` for a factor that the memory has no room for."""
    refuse = partial(_refuse, max_factor=max_factor, both_sides=both_sides)
    refuse_later = partial(_lacks_room, both_sides=both_sides)  # in a pass, which no error may cut short
    parts = LayerParts(model, batch_first=batch_first, exclude=exclude, refuse=refuse, refuse_later=refuse_later)
    check_memory(
        (factor for layer in parts.layers for factor in factors_of(layer, both_sides=both_sides)),
        "K-FAC" if both_sides else "FOOF",
        WAYS_OUT,
    )
    return parts


def _lacks_room(layer: Layer, *, both_sides: bool) -> str | None:
    return lacks_room(max(factors_of(layer, both_sides=both_sides), key=lambda factor: factor.num_bytes))


def _refuse(layer: Layer, *, max_factor: int | None, both_sides: bool) -> str | None:
    length = max(factor.length for factor in factors_of(layer, both_sides=both_sides))
    if max_factor is None or length <= max_factor:
        return None
    return f"its factor of length {length} is longer than max_factor = {max_factor}"
