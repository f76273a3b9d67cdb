"""Where the parameters of a model are, and whether they still are there, in their shapes."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn


class Slots(NamedTuple):
    """What modules hold, by the names that they have for it."""

    parameters: Sequence[tuple[nn.Module, str, nn.Parameter, torch.Size]]
    children: Sequence[tuple[nn.Module, str, nn.Module]]
    by_name: Mapping[str, nn.Parameter]  # in the model; a shared one has several names


def find_slots(model: nn.Module) -> Slots:
    """Return the slots of a model; a scripted module has none that are known."""
    modules = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
    parameters = [(module, name, each) for module in modules for name, each in module._parameters.items()]
    children = [(module, name, each) for module in modules for name, each in module._modules.items()]
    return Slots(
        [(module, name, each, each.shape) for module, name, each in parameters if each is not None],
        [(module, name, each) for module, name, each in children if each is not None],
        dict(model.named_parameters(remove_duplicate=False)),
    )


def check_slots(kind: str, model: nn.Module, slots: Slots, trained: Container[nn.Parameter]) -> Slots:
    """Return the slots as they are now; raise where the model has other parameters, or other shapes, than before.

    Nobody would train these parameters, or nobody watch them there. Modules may change places, and be wrapped.
    """
    is_same = True
    for module, name, parameter, shape in slots.parameters:
        if module._parameters.get(name) is not parameter:
            is_same = False
        elif parameter.shape != shape:
            _refuse_shape(kind, slots, parameter, shape)
    if is_same and all(module._modules.get(name) is child for module, name, child in slots.children):
        return slots
    now = find_slots(model)
    for name, parameter in slots.by_name.items():
        if now.by_name.get(name, parameter) is not parameter:
            raise RuntimeError(
                f"{name} is another parameter now than when {kind} was made: it was replaced or tied, as "
                f"load_state_dict(assign=True) does. {_way_out(kind)}"
            )
    here = set(now.by_name.values())
    gone = [name for name, each in slots.by_name.items() if each not in here]
    new = [name for name, each in now.by_name.items() if each.requires_grad and each not in trained]
    if gone and new:
        raise RuntimeError(
            f"{gone[0]} is not in the model any more, and {new[0]}, which came since {kind} was made, would not be "
            f"trained: weight_norm and FullyShardedDataParallel replace parameters. {_way_out(kind)}"
        )
    return now


def _refuse_shape(kind: str, slots: Slots, parameter: nn.Parameter, shape: torch.Size) -> None:
    name = next(name for name, each in slots.by_name.items() if each is parameter)
    raise RuntimeError(
        f"{name} has the shape {tuple(parameter.shape)} now, and had {tuple(shape)} when {kind} was made. "
        f"Nothing has changed. Make a new {kind} of the model as it is now."
    )


def _way_out(kind: str) -> str:
    return (
        f"Nothing has changed. Make a new {kind} of the model as it is now; "
        "new.load_state_dict(old.state_dict()) takes the state along where the parameters are as many."
    )
