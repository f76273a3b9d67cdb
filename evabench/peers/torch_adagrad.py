"""torch's own Adagrad in its fastest kernel for the device: on CUDA torch 2.11 has no fused one and says so."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Adagrad


def adagrad(parameters: Iterable[nn.Parameter], *, lr: float = 0.01, weight_decay: float = 0.0) -> Adagrad:
    """Return Adagrad, fused where torch has that for these parameters, else as torch chooses."""
    parameters = list(parameters)
    fused = True if all(map(_has_fused, parameters)) else None
    return Adagrad(parameters, lr=lr, weight_decay=weight_decay, fused=fused)


def _has_fused(parameter: nn.Parameter) -> bool:
    # torch looks at the device in the first step, so one is made, with one value.
    value = torch.zeros(1, dtype=parameter.dtype, device=parameter.device, requires_grad=True)
    value.grad = torch.zeros_like(value)
    try:
        Adagrad([value], fused=True).step()
    except RuntimeError:
        return False
    return True
