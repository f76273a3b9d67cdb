"""The last part of every step: momentum and L2 weight decay, after preconditioning, in place."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.phases import phase
from evabench.optimizers.tensors import dense_like

MOMENTUM_BUFFER = "momentum_buffer"  # the key that tells the momentum from the curvature state


@phase("update")
def descend_(
    group: dict[str, Any],
    states: dict[Tensor, Any],
    *,
    parameters: Iterable[Tensor] | None = None,
    divisor: Tensor | None = None,
    skip: Tensor | None = None,
) -> None:
    """Move the parameters of a group that have a gradient, all of them by default, by the rule of `torch.optim.SGD`.

        direction <- .grad / divisor
        m <- momentum * m + direction + weight_decay * x
        x <- x - lr * m

    The directions are left in `.grad`. Where `skip` is not 0, parameters and momentum stay as they are, and `.grad` is
    undefined. Both are 0-d tensors in single precision: torch's fused kernel does all of it in one pass and lets the
    host run ahead. `nesterov` of the group may be "standard", torch's, or "in_place": m <- momentum * m + direction +
    weight_decay * x twice over, which in one step is

        m <- momentum^2 * m + (1 + momentum) * (direction + weight_decay * x)
    """
    momentum, weight_decay, nesterov = group["momentum"], group["weight_decay"], group.get("nesterov", "none")
    if nesterov == "in_place" and group["params"]:
        gain = 1 + momentum
        momentum, weight_decay = momentum**2, gain * weight_decay
        divisor = _ones_like_first(group) / gain if divisor is None else divisor / gain
    by_kind: dict[tuple[torch.device, torch.dtype], tuple[list[Tensor], list[Tensor]]] = {}
    for parameter in group["params"] if parameters is None else parameters:
        if parameter.grad is not None:
            gradient = dense_like(parameter.grad, parameter)
            if gradient is not parameter.grad:
                parameter.grad = gradient
            alike, gradients = by_kind.setdefault((parameter.device, parameter.dtype), ([], []))
            alike.append(parameter)
            gradients.append(gradient)
    for (device, dtype), (alike, gradients) in by_kind.items():
        remaining = divisor
        if divisor is not None and dtype is torch.float64:  # the kernel reads its divisor in single precision
            torch._foreach_div_(gradients, divisor)
            remaining = None
        torch._fused_sgd_(
            alike,
            gradients,
            _momenta(alike, states) if group["momentum"] != 0 else [],
            weight_decay=weight_decay,
            momentum=momentum,
            lr=group["lr"],
            dampening=0.0,
            nesterov=nesterov == "standard",
            maximize=False,
            is_first_step=False,
            grad_scale=None if remaining is None else remaining.to(device, torch.float32),
            found_inf=None if skip is None else skip.to(device, torch.float32),
        )


@phase("update")
def descend_groups_(
    groups: list[dict[str, Any]],
    states: dict[Tensor, Any],
    *,
    divisors: Mapping[nn.Parameter, Tensor],
    other_divisor: Tensor | None,
    skip: Tensor,
) -> None:
    """Move the parameters of all groups, each with its own divisor; `other_divisor` is that of those not listed."""
    for group in groups:
        by_divisor: dict[int, tuple[Tensor | None, list[nn.Parameter]]] = {}
        for parameter in group["params"]:
            divisor = divisors.get(parameter, other_divisor)
            by_divisor.setdefault(id(divisor), (divisor, []))[1].append(parameter)
        for divisor, parameters in by_divisor.values():
            descend_(group, states, parameters=parameters, divisor=divisor, skip=skip)


def _ones_like_first(group: dict[str, Any]) -> Tensor:
    first: Tensor = group["params"][0]
    return torch.ones((), dtype=torch.promote_types(first.dtype, torch.float32), device=first.device)


def _momenta(parameters: list[Tensor], states: dict[Tensor, Any]) -> list[Tensor]:
    buffers = []
    for parameter in parameters:
        state = states[parameter]
        buffer = state.get(MOMENTUM_BUFFER)
        # A state that was loaded may come in another layout than the parameter's.
        dense = torch.zeros_like(parameter) if buffer is None else dense_like(buffer, parameter)
        if dense is not buffer:
            state[MOMENTUM_BUFFER] = dense
        buffers.append(dense)
    return buffers
