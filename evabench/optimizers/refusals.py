"""What an optimizer refuses, before it has changed anything, with the place and the way out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


def check_step(optimizer: torch.optim.Optimizer, closure: object, names: Mapping[nn.Parameter, str]) -> None:
    """Raise for a closure, a sparse gradient, or a step without a backward pass."""
    kind = type(optimizer).__name__
    if closure is not None:
        raise ValueError(
            f"{kind}.step takes no closure, got {closure!r}: the statistics belong to one backward pass. "
            "Compute the loss, call backward(), then step()."
        )
    any_gradient = False
    for parameter, name in names.items():
        gradient = parameter.grad
        if gradient is not None:
            any_gradient = True
            if gradient.layout is not torch.strided:
                raise ValueError(
                    f"{name} has a gradient of layout {gradient.layout}: {kind} takes dense ones only. "
                    "Make the layer with sparse=False."
                )
    if not any_gradient:
        raise RuntimeError(
            f"{kind}.step without a backward pass: none of the {len(names)} parameters, {next(iter(names.values()))} "
            "the first, has a gradient. Call loss.backward() before step()."
        )


def check_origin(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any]) -> None:
    """Raise `ValueError` for a state that an optimizer of another kind has saved."""
    kind, expected = type(optimizer).__name__, optimizer.defaults["optimizer"]
    for index, group in enumerate(state_dict["param_groups"]):
        found = group.get("optimizer", "another optimizer")
        if found != expected:
            raise ValueError(
                f"{kind}.load_state_dict: group {index} was saved by {found}, not by {expected}; nothing was loaded. "
                f"Load a state that {kind} has saved, or start {kind} without one."
            )


def check_parameter(parameter: object, names: Mapping[nn.Parameter, str], where: str, model: str) -> None:
    """Raise for what is not a parameter of the model, or not dense in memory."""
    if not isinstance(parameter, nn.Parameter) or parameter not in names:
        shape = tuple(parameter.shape) if isinstance(parameter, torch.Tensor) else parameter
        raise ValueError(
            f"{where}: a parameter of shape {shape} does not belong to {model}, whose layers are watched. Take the "
            "parameters of a group from the model that the optimizer was made with."
        )
    if torch.empty_like(parameter, device="meta").stride() != parameter.stride():
        raise ValueError(
            f"{names[parameter]} has the strides {parameter.stride()} for the shape {tuple(parameter.shape)}: "
            "it must be dense in memory. Make the parameter from a contiguous tensor."
        )
