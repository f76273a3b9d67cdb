"""Counted, not timed: parameters of a model, and floating-point operations of its forward pass."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(model: nn.Module) -> int:
    """Return the trainable values, those of a shared parameter once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@torch.no_grad()
def forward_flops(model: nn.Module, inputs: Tensor) -> int:
    """Return the operations of matrix products and convolutions; a multiply-add is two. Meta tensors suffice.

    Attention counts as two full products: what a causal kernel saves is not subtracted.
    """
    with FlopCounterMode(display=False) as counter:
        model(inputs)
    return int(counter.get_total_flops())
