"""The type of what an optimizer keeps of a parameter beside the momentum, and how a saved state gets it back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from evabench.optimizers.tensors import statistic_type

# Of what a state has all or nothing: levels, the later ones not without those before; of each tuple of names one.
Levels = Sequence[Sequence[tuple[str, ...]]]


def find_missing(state: Mapping[str, Any], whole: Sequence[Levels]) -> str:
    """Return a statistic that a state lacks beside the others that it has, in words; empty: none."""
    return next(filter(None, (_missing_from(state, levels) for levels in whole)), "")


def _missing_from(state: Mapping[str, Any], levels: Levels) -> str:
    lacking = ""
    for level in levels:
        missing = [names for names in level if not any(name in state for name in names)]
        lacking = lacking or (" or ".join(missing[0]) if missing else "")
        if lacking and len(missing) < len(level):
            return lacking
    return ""  # what is missing has nothing beside it, or behind


def drop_parts(optimizer: torch.optim.Optimizer, whole: Sequence[Levels], names: Sequence[str]) -> None:
    """Forget the statistics of states that are not whole, as an error in a step leaves them (memory that ran out)."""
    for state in optimizer.state.values():
        if find_missing(state, whole):
            for name in names:
                state.pop(name, None)


def restore_statistics(
    optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any], names: Sequence[str], of_own_type: Sequence[str]
) -> None:
    """Put back statistics that `load_state_dict` has cast to the type of their parameter, in their own precision.

    Those of `of_own_type` keep the type that they were saved with, whatever the parameters are.
    """
    saved = [key for group in state_dict["param_groups"] for key in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for key, parameter in zip(saved, parameters, strict=True):
        for name in names:
            value = state_dict["state"].get(key, {}).get(name)
            if value is not None:
                dtype = value.dtype if name in of_own_type else statistic_type(parameter)
                optimizer.state[parameter][name] = value.to(parameter.device, dtype)
