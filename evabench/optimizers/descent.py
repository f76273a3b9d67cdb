"""The last part of every step: momentum and L2 weight decay, after preconditioning, in place."""

from typing import Any

import torch
from torch import Tensor

MOMENTUM_BUFFER = "momentum_buffer"  # the key that tells the momentum from the curvature state


def descend_(group: dict[str, Any], states: dict[Tensor, Any]) -> None:
    """Move every parameter of a group that has a gradient, by the rule of `torch.optim.SGD`.

        m <- momentum * m + direction + weight_decay * x
        x <- x - lr * m

    The directions are read from `.grad` and left there. Differs from SGD: the decay is added to the momentum rather
    than to a copy of the gradients, which spares a temporary of their size.
    """
    parameters: list[Tensor] = [parameter for parameter in group["params"] if parameter.grad is not None]
    directions = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not parameters:
        return
    lr, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
    if momentum == 0:
        if decay != 0:
            torch._foreach_mul_(parameters, 1 - lr * decay)
        torch._foreach_add_(parameters, directions, alpha=-lr)
        return
    for parameter in parameters:
        if MOMENTUM_BUFFER not in states[parameter]:
            states[parameter][MOMENTUM_BUFFER] = torch.zeros_like(parameter)
    buffers = [states[parameter][MOMENTUM_BUFFER] for parameter in parameters]
    torch._foreach_mul_(buffers, momentum)
    torch._foreach_add_(buffers, directions)
    if decay != 0:
        torch._foreach_add_(buffers, parameters, alpha=decay)
    torch._foreach_add_(parameters, buffers, alpha=-lr)
