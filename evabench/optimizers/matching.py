"""The groups of an arm -> parameter groups of a model."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from evabench.errors import SuiteError
from evabench.settings.groups import MATCH, MAX_AXES, Groups, own_settings

_SHOWN = 3  # names of parameters in a message


def matched_groups(model: nn.Module, groups: Groups) -> list[dict[str, Any]]:
    """Return a parameter group for each entry, with the parameters that match it and no earlier one.

    Raises `SuiteError` for an entry that nothing matches.
    """
    left = dict(model.named_parameters())
    found = []
    for group in groups:
        names = [name for name, parameter in left.items() if _matches(name, parameter, group)]
        if not names:
            raise SuiteError(_nothing(model, group))
        found.append({"params": [left.pop(name) for name in names], **own_settings(group)})
    return found


def all_groups(model: nn.Module, groups: Groups) -> list[dict[str, Any]]:
    """Return the parameter groups of `matched_groups`, and one with the rest of the parameters."""
    found = matched_groups(model, groups)
    taken = {id(parameter) for group in found for parameter in group["params"]}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    return [*found, {"params": rest}] if rest else found


def _matches(name: str, parameter: nn.Parameter, group: Mapping[str, Any]) -> bool:
    return fnmatchcase(name, group[MATCH]) and parameter.dim() <= group.get(MAX_AXES, parameter.dim())


def _nothing(model: nn.Module, group: Mapping[str, Any]) -> str:
    names = [name for name, _ in model.named_parameters()]
    axes = f" with at most {group[MAX_AXES]} axes" if MAX_AXES in group else ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f'groups: no parameter{axes} that an earlier group has not taken matches "{group[MATCH]}". '
        f"The model has {', '.join(names[:_SHOWN])}{more}"
    )
