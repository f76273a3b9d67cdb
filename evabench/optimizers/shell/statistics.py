"""The type of what an optimizer keeps of a parameter beside the momentum, and how a saved state gets it back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from evabench.optimizers.tensors import statistic_type


def find_missing(state: Mapping[str, Any], together: Sequence[str]) -> str:
    """Return a statistic that a state lacks although it has another one of those that come together, or nothing."""
    missing = [name for name in together if name not in state]
    return missing[0] if 0 < len(missing) < len(together) else ""


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
