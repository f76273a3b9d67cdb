"""What an optimizer refuses to load, before it has changed anything."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evabench.optimizers.shell.statistics import Levels, find_missing
from evabench.optimizers.step.descent import MOMENTUM_BUFFER
from evabench.settings.bounds import field_names
from evabench.settings.brief import LONGEST, brief, brief_list

Shapes = Mapping[nn.Parameter, Mapping[str, tuple[int, ...]]]  # of statistics, by their names


def check_is_state(optimizer: torch.optim.Optimizer, state_dict: object) -> None:
    """Raise `ValueError` for what is no state of an optimizer."""
    kind = type(optimizer).__name__
    if not isinstance(state_dict, Mapping):
        found = brief(state_dict)
    elif not {"state", "param_groups"} <= set(state_dict):
        found = f"a dictionary with {brief_list(state_dict) or 'nothing'}"
    else:
        found = _find_misfit(state_dict["state"], state_dict["param_groups"])
    if not found:
        return
    raise ValueError(
        f"{kind}.load_state_dict wants what {kind}.state_dict() returned, with state and param_groups, and got "
        f"{found}; nothing was loaded. Of a checkpoint pass the part that holds the optimizer."
    )


def _find_misfit(states: object, groups: object) -> str:
    """Return what of a state is no state, in words; empty: nothing."""
    if not isinstance(states, Mapping):
        return f"{brief(states)} as state"
    for key, state in states.items():
        if not isinstance(state, Mapping):
            return f"{brief(state)} as the state of parameter {brief(key)}"
        momentum = state.get(MOMENTUM_BUFFER)
        if momentum is not None and not isinstance(momentum, Tensor):
            return f"{brief(momentum)} as a momentum"
    if not (isinstance(groups, list) and groups):
        return f"{brief(groups)} as param_groups"
    for group in groups:
        if not (isinstance(group, Mapping) and isinstance(group.get("params"), list)):
            return f"{brief(group)} without a list of params as a group"
    return ""


def check_settings(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any], settings: type) -> None:
    """Raise `ValueError` for a setting of a saved group that is out of its bounds."""
    for index, group in enumerate(state_dict["param_groups"]):
        try:
            settings(**{name: value for name, value in group.items() if name in field_names(settings)})
        except ValueError as problem:
            raise ValueError(
                f"{type(optimizer).__name__}.load_state_dict: group {index}: {problem}; nothing was loaded."
            ) from None


def check_kind(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any]) -> None:
    """Raise `ValueError` for the state of an optimizer of another kind."""
    kind, expected = type(optimizer).__name__, optimizer.defaults["optimizer"]
    for index, group in enumerate(state_dict["param_groups"]):
        found = group.get("optimizer", "another optimizer")
        if found != expected:
            words = found[:LONGEST] if isinstance(found, str) else brief(found)
            raise ValueError(
                f"{kind}.load_state_dict: group {index} was saved by {words}, not by {expected}; nothing was loaded. "
                f"Load a state that {kind} has saved, or start {kind} without one."
            )


def check_states(
    optimizer: torch.optim.Optimizer,
    state_dict: Mapping[str, Any],
    names: Mapping[nn.Parameter, str],
    shapes: Shapes,
    whole: Sequence[Levels],
) -> None:
    """Raise `ValueError` for the state of another model, or one of which a part is missing."""
    where = f"{type(optimizer).__name__}.load_state_dict"
    for parameter, state in _states(optimizer, state_dict):
        name = names[parameter]
        momentum = state.get(MOMENTUM_BUFFER)
        if momentum is not None and momentum.shape != parameter.shape:
            raise ValueError(
                f"{where}: {name} has the shape {tuple(parameter.shape)}, but was saved with "
                f"{tuple(momentum.shape)}: the state is that of another model or other groups; nothing was loaded."
            )
        for statistic, expected in shapes.get(parameter, {}).items():
            value = state.get(statistic)
            if value is not None and (not isinstance(value, Tensor) or tuple(value.shape) != expected):
                raise ValueError(
                    f"{where}: the statistic {statistic} of {name} must have the shape {expected}, and was saved as "
                    f"{brief(value)}: the state is that of another model or other groups; nothing was loaded."
                )
        missing = find_missing(state, whole)
        if missing:
            raise ValueError(
                f"{where}: the state of {name} lacks the statistic {missing}: a part of it was deleted; nothing was "
                "loaded. Load a state as it was saved, or start without one."
            )


def _states(
    optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any]
) -> Iterator[tuple[nn.Parameter, Mapping[str, Any]]]:
    saved = [key for group in state_dict["param_groups"] for key in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for key, parameter in zip(saved, parameters, strict=False):  # torch refuses another number of them
        yield parameter, state_dict["state"].get(key, {})
