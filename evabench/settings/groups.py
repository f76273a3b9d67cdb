"""Parameter groups of an arm: settings of their own for the parameters whose names match."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evabench.settings.choices import Value, check_options

# How a group finds its parameters; everything else in it is a setting.
MATCH, MAX_AXES = "match", "max_axes"

# Each parameter belongs to the first group that it matches, and to none where it matches none.
Groups = tuple[Mapping[str, Value], ...]


def check_groups(settings: Any, *allowed: str) -> None:
    """Raise `ValueError` for a group that finds nothing by name, or has a setting that no group of these may have."""
    for number, group in enumerate(settings.groups, start=1):
        try:
            _check_match(group)
            unknown = [name for name in own_settings(group) if name not in allowed]
            if unknown:
                raise ValueError(f"{', '.join(unknown)} cannot differ between groups. It may: {', '.join(allowed)}")
            replace(settings, groups=(), **own_settings(group))
        except ValueError as problem:
            raise ValueError(f"groups, entry {number}: {problem}") from None


def check_own_groups(groups: Groups) -> None:
    """Raise `ValueError` for a group that finds nothing by name; its settings are a plug-in's own."""
    for number, group in enumerate(groups, start=1):
        try:
            _check_match(group)
            check_options(group)
        except ValueError as problem:
            raise ValueError(f"groups, entry {number}: {problem}") from None


def own_settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a group."""
    return {name: value for name, value in group.items() if name not in (MATCH, MAX_AXES)}


def _check_match(group: Mapping[str, Any]) -> None:
    pattern, axes = group.get(MATCH), group.get(MAX_AXES)
    if not isinstance(pattern, str) or not pattern:
        raise ValueError('match is missing: a pattern for names of parameters, such as "*.bias"; "*" is every name')
    if axes is not None and (not isinstance(axes, int) or isinstance(axes, bool) or axes < 0):
        raise ValueError(f"max_axes is a number of axes, such as 1 for biases and norms, got {axes!r}")
    if not own_settings(group):
        raise ValueError("it has no setting of its own, such as weight_decay = 0.0")
