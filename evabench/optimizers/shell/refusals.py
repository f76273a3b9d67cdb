"""What an optimizer refuses, before it has changed anything, with the place and the way out."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.shell.statistics import Levels, find_missing
from evabench.optimizers.step.descent import MOMENTUM_BUFFER
from evabench.optimizers.tensors import statistic_type
from evabench.settings.brief import brief


def check_step(
    optimizer: torch.optim.Optimizer, names: Mapping[nn.Parameter, str], first_statistic: str, whole: Sequence[Levels]
) -> bool:
    """Return whether there is any gradient; raise for a gradient or a state that is not like its parameter.

    `first_statistic` speaks for all others of a state, which is `whole` or not there.
    """
    kind = type(optimizer).__name__
    any_gradient = False
    for parameter, name in names.items():
        gradient = parameter.grad
        if gradient is not None:
            any_gradient = True
            if gradient.layout is not torch.strided or gradient.dtype is not parameter.dtype:
                _check_gradient(kind, name, parameter, gradient)
        state = optimizer.state.get(parameter)
        if state:
            _check_state(kind, name, parameter, state, first_statistic)
            missing = find_missing(state, whole)
            if missing:
                raise RuntimeError(
                    f"the state of {name} lacks the statistic {missing}: a part of it was deleted. Nothing has "
                    "changed. Load a whole state, or delete what is known of the parameter: "
                    "optimizer.state.pop(parameter)."
                )
    return any_gradient


def _check_gradient(kind: str, name: str, parameter: Tensor, gradient: Tensor) -> None:
    if gradient.layout is not torch.strided:
        raise ValueError(
            f"{name} has a gradient of layout {gradient.layout}: {kind} takes dense ones only. "
            "Make the layer with sparse=False."
        )
    if gradient.dtype is not parameter.dtype:
        raise ValueError(
            f"{name} is {parameter.dtype} and its gradient {gradient.dtype}: {kind} takes those of their parameter's "
            "type only. Leave the parameter's grad_dtype as it is."
        )


def _check_state(kind: str, name: str, parameter: Tensor, state: Mapping[str, Any], first_statistic: str) -> None:
    """Raise where the model was converted, or moved, since the state began; no value is read.

    A momentum that is like its parameter vouches for the statistics: `load_state_dict` converts both.
    """
    momentum = state.get(MOMENTUM_BUFFER)
    if momentum is not None and momentum.dtype is parameter.dtype and momentum.device == parameter.device:
        return
    kept = []
    if first_statistic in state:
        kept.append((state[first_statistic], statistic_type(parameter), "statistics are"))
    if momentum is not None:
        kept.append((momentum, parameter.dtype, "momentum is"))
    for value, expected, what in kept:
        if value.dtype is expected and value.device == parameter.device:
            continue
        now, before = (
            (parameter.dtype, value.dtype) if value.dtype is not expected else (parameter.device, value.device)
        )
        raise RuntimeError(
            f"{name} is {now} now, but its {what} {before}: the model was converted or moved after {kind} had taken "
            f"steps. Nothing has changed. Make a new {kind} of the model as it is now; "
            "new.load_state_dict(old.state_dict()) takes the state along."
        )


def check_parameters(model: nn.Module) -> None:
    """Raise `ValueError` for a parameter that has no shape yet, is sharded, or is trained and complex."""
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(
                f"{name} has no shape yet: its module is lazy. Run a batch through the model, then make the optimizer."
            )
        if hasattr(parameter, "device_mesh"):
            raise ValueError(
                f"{name} is a DTensor, sharded over a device mesh: the curvature of a layer needs all of it. Use "
                "DistributedDataParallel in place of fully_shard, or an optimizer of torch."
            )
        if hasattr(parameter, "_is_flat_param") or hasattr(parameter, "_fsdp_flattened"):
            raise ValueError(
                f"{name} is a part of a flat parameter of FullyShardedDataParallel: the curvature of a layer needs all "
                "of it. Use DistributedDataParallel in its place, or an optimizer of torch."
            )
        if parameter.requires_grad and parameter.is_complex():
            raise ValueError(
                f"{name} is {parameter.dtype}: complex parameters cannot be trained with this optimizer. Freeze it and "
                "train it with an optimizer of its own, or hold it as two real ones (torch.view_as_real)."
            )


def check_parameter(parameter: object, names: Mapping[nn.Parameter, str], where: str, model: str) -> None:
    """Raise for what is not a parameter of the model, or not dense in memory."""
    if not isinstance(parameter, nn.Parameter) or parameter not in names:
        if isinstance(parameter, tuple):
            raise ValueError(
                f"{where}: its params are {brief(parameter)}, as model.named_parameters() yields them. Pass "
                "model.parameters(), or a list of parameters."
            )
        found = f"a parameter of shape {tuple(parameter.shape)}" if isinstance(parameter, Tensor) else brief(parameter)
        raise ValueError(
            f"{where}: {found} does not belong to {model}, whose layers are watched. Take the parameters of a group "
            "from the model that the optimizer was made with."
        )
    if torch.empty_like(parameter, device="meta").stride() != parameter.stride():
        raise ValueError(
            f"{names[parameter]} has the strides {parameter.stride()} for the shape {tuple(parameter.shape)}: "
            "it must be dense in memory. Make the parameter from a contiguous tensor."
        )
