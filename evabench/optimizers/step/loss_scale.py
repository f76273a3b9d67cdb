"""By how much the loss was scaled for mixed precision: what the caught output gradients have to be divided by."""

from typing import Any

from torch import Tensor


def found_infinity(optimizer: object) -> Tensor | None:
    """Return the loss scaler's verdict on the gradients of this step, not 0 if one is infinite; None without one."""
    found: Tensor | None = getattr(optimizer, "found_inf", None)
    return found


def gradient_scale(optimizer: object) -> Tensor | None:
    """Return what the gradients still carry: torch's scaler leaves the division to us unless `unscale_` was called."""
    scale: Tensor | None = getattr(optimizer, "grad_scale", None)
    return scale


def statistics_scale(optimizer: object, scaler: Any) -> Tensor | None:
    """Return what the caught output gradients carry, or None.

    The hooks see the gradients of the scaled loss, whatever happens to `.grad` later. Raises `RuntimeError` where the
    gradients were divided before the step, to be clipped for instance, and the scaler is not known.
    """
    scale = gradient_scale(optimizer)
    if scale is not None:
        return scale
    if scaler is not None and scaler.is_enabled():
        # Public `get_scale` would read the value on the host. None before the first scaled loss.
        known: Tensor | None = scaler._get_scale_async()
        return known
    if found_infinity(optimizer) is not None:
        kind = type(optimizer).__name__
        raise RuntimeError(
            f"The gradients were unscaled before {kind}.step, and the scale of its statistics is not known any more. "
            f"Make the optimizer with {kind}(model, grad_scaler=scaler)."
        )
    return None
