"""Points of a grid: the settings of an arm with other values for some of them."""

import json
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter

from evabench.settings.bounds import field_names
from evabench.settings.choices import Value
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings

_NO_VALUE = ("optimizer", "groups")


def values_of(settings: OptimizerSettings) -> dict[str, Value]:
    """Return the settings that a grid may name; of a plug-in, its options."""
    if isinstance(settings, PluginSettings):
        return dict(settings.options)
    return {name: getattr(settings, name) for name in field_names(type(settings)) if name not in _NO_VALUE}


def at_point(settings: OptimizerSettings, point: Mapping[str, Value]) -> OptimizerSettings:
    """Return the settings with the values of a point: 1 becomes 1.0 where a float is meant.

    A plug-in takes any option. Raises pydantic's `ValidationError` for a name or a value that the settings do not know.
    """
    if isinstance(settings, PluginSettings):
        return replace(settings, options={**settings.options, **point})
    adapter = _adapter(cast(Hashable, type(settings)))
    fields = adapter.dump_python(settings, mode="json")
    changed: OptimizerSettings = adapter.validate_json(json.dumps({**fields, **point}), strict=True)
    return changed


def rate_of(settings: OptimizerSettings) -> float | None:
    """Return the learning rate; None where an optimizer has none of that name, or none above 0."""
    rate = values_of(settings).get("lr")
    return float(rate) if isinstance(rate, int | float) and not isinstance(rate, bool) and rate > 0 else None


def at_rate(settings: OptimizerSettings, rate: float) -> OptimizerSettings:
    """Return the settings at another learning rate, that of their groups in proportion."""
    own = rate_of(settings)
    assert own is not None, settings
    groups = tuple(
        {**group, "lr": group["lr"] * (rate / own)} if isinstance(group.get("lr"), int | float) else group
        for group in settings.groups
    )
    return replace(at_point(replace(settings, groups=()), {"lr": rate}), groups=groups)


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(type, kind))
