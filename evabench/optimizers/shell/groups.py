"""Parameter groups: overrides for some parameters of the model, the settings of the optimizer for the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import nn

from evabench.optimizers.shell.refusals import check_parameter, check_parameters
from evabench.settings.bounds import field_names
from evabench.settings.brief import brief, brief_list

OVERRIDES = ("lr", "momentum", "weight_decay", "damping")

Groups = Sequence[Mapping[str, Any]]


def name_parameters(model: nn.Module) -> dict[nn.Parameter, str]:
    """Return the parameters of a model with their names, a shared one once; raise `ValueError` for what is no model."""
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"the first argument must be a model, a torch.nn.Module, whose layers are watched; got a "
            f"{type(model).__name__}. Pass the model itself instead of model.parameters()."
        )
    check_parameters(model)
    return {parameter: name for name, parameter in model.named_parameters()}


def group_settings(settings: Any) -> dict[str, Any]:
    """Return what belongs in a parameter group and its state_dict: all but what is the process's or the model's own."""
    return {name: value for name, value in asdict(settings).items() if name not in ("compile", "groups")}


def split_groups(model: nn.Module, groups: Groups) -> list[dict[str, Any]]:
    """Return the groups as given, then one with the rest of the parameters; the order of the model within it."""
    split: list[dict[str, Any]] = []
    for group in groups:
        if not isinstance(group, Mapping):
            raise ValueError(
                f'group {len(split)} must be a mapping such as {{"params": model.head.parameters(), "lr": 0.01}}, '
                f"got a {type(group).__name__}. Parameters that no group names form a group of their own."
            )
        split.append({**group, "params": as_list(group.get("params", ()))})
    listed = {id(parameter) for group in split for parameter in group["params"]}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in listed]
    return [*split, {"params": rest}] if rest else split


def check_group(
    group: Mapping[str, Any],
    settings: type,
    names: Mapping[nn.Parameter, str],
    where: str,
    overrides: Sequence[str] = OVERRIDES,
) -> None:
    """Raise `ValueError` for a setting that is not one of a group, is out of its bounds, or for a foreign parameter."""
    for parameter in as_list(group.get("params", ())):
        check_parameter(parameter, names, where, "the model")
    values = {name: value for name, value in group.items() if name not in ("params", "param_names")}
    known = [name for name in overrides if name in field_names(settings)]
    unknown = sorted(set(values) - set(known), key=str)
    if unknown:
        allowed = ", ".join(known)
        raise ValueError(f"{where}: {brief_list(unknown)} cannot differ between groups. A group may set: {allowed}.")
    try:
        settings(**values)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from None


def as_list(parameters: Any) -> list[Any]:
    """Return one or several parameters as a list; raise `TypeError`, as torch does, for a set, which has no order."""
    if isinstance(parameters, set | frozenset):
        raise TypeError(
            f"the parameters of a group are {brief(parameters)}, whose order differs from run to run: pass a list"
        )
    return (
        list(parameters)
        if isinstance(parameters, Iterable) and not isinstance(parameters, nn.Parameter)
        else [parameters]
    )
