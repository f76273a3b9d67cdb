"""Running factors: averaged in place, in one pass, unless the step is skipped.

A factor has d^2 numbers, so that on a CPU the passes over it, and new memory for each, would cost as much as the
products that fill it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from evabench.optimizers.layers.layers import Layer
from evabench.optimizers.outer_products import diagonal
from evabench.optimizers.step.ranks import Ranks

NUM_BATCHES = "num_batches"  # of the statistics that entered the factors of a layer, counted on the device


class Fresh(NamedTuple):
    """The sum of outer products of one batch, and what a mean multiplies it by."""

    summed: Tensor
    scale: float


def renew_(state: dict[str, Any], fresh: Mapping[str, Fresh], weight: float, skip: Tensor) -> Tensor:
    """Update the factors of a layer: F <- (1 - weight) F + weight * scale * summed, the first batch with weight 1.

    Nothing changes where `skip` is not 0, or a sum is not finite: large inputs overflow when they are squared. Returns
    whether the factors changed, a 0-d boolean tensor. The weight is that of the new value, as in the authors' code. A
    damping that the last factorisation left behind ("F_leak") enters F first.
    """
    traces = torch.stack([diagonal(each.summed).sum() for each in fresh.values()])
    usable = (skip == 0) & traces.isfinite().all()
    count = state.setdefault(NUM_BATCHES, traces.new_zeros((), dtype=torch.float32))
    for name, (summed, scale) in fresh.items():
        factor = state.setdefault(name, torch.zeros_like(summed))
        leak = state.get(f"{name}_leak")
        if leak is not None:
            diagonal(factor).add_(torch.where(usable & (count > 0), leak, 0.0).unsqueeze(-1))
            leak.mul_(~usable)
        share = torch.where(count == 0, torch.ones_like(traces[0]), weight)
        mix_(factor, summed, share, scale, (~usable).float())
    count.add_(usable)
    return usable


def mix_(factor: Tensor, summed: Tensor, weight: Tensor, scale: float, skip: Tensor) -> None:
    """Move a factor to (1 - weight) * factor + weight * scale * summed, or leave it where `skip` is not 0.

    It is SGD's step x <- x - lr (g + decay * x) with lr = -weight * scale and decay = -1 / scale, which torch's fused
    kernel takes in one pass, and not at all on a verdict of the device: other ways read and write two or three times as
    much, in new memory. On CUDA the kernel reads `lr` and the verdict in single precision alone: a factor in double
    precision takes those other ways.
    """
    if factor.dtype is torch.float64:
        moved = torch.lerp(factor, summed * scale, weight.to(factor.dtype))
        factor.copy_(torch.where(skip > 0, factor, moved))
        return
    torch._fused_sgd_(
        [factor],
        [summed],
        [],
        weight_decay=-1.0 / scale,
        momentum=0.0,
        lr=(-weight * scale).float(),
        dampening=0.0,
        nesterov=False,
        maximize=False,
        is_first_step=False,
        found_inf=skip,
    )


def average_factors(sums: Sequence[Tensor], ranks: Ranks) -> list[Tensor]:
    """Return the means over all ranks, in one message."""
    flat = ranks.average(torch.cat([each.reshape(-1) for each in sums]))
    parts = torch.split(flat, [each.numel() for each in sums])
    return [part.view(each.shape) for part, each in zip(parts, sums, strict=True)]


def factor_shapes(name: str, layer: Layer, top_k: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a factor, A or B, and of what a refresh makes of it."""
    groups = (layer.num_groups,) if layer.num_groups > 1 else ()
    num_columns = layer.num_inputs // layer.num_groups + (layer.bias is not None)
    d = num_columns if name == "A" else layer.d_out // layer.num_groups
    square = (*groups, d, d)
    k = min(d, top_k or d)
    return {name: square, f"{name}_cholesky": square, f"{name}_inverse": square} | {
        f"{name}_vectors": (*groups, d, k),
        f"{name}_gains": (*groups, k),
    }


def has_factors(state: Mapping[str, Any]) -> bool:
    """Return whether any batch has given statistics; waits for the device."""
    return bool(float(state.get(NUM_BATCHES, 0.0)))
