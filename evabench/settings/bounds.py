"""Bounds written once, in the type of a field, and checked wherever the settings come from.

`lr: Annotated[float, Gt(0)]` is read by pydantic when a suite file is loaded (all errors at once) and by
`check_bounds` when somebody writes `Eva(model, lr=-1)`.
"""

import dataclasses
import math
from collections.abc import Callable, Hashable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Interval, Le, Lt

from evabench.settings.brief import brief
from evabench.settings.identity import is_place

# Of a dataclass as `__pydantic_config__`: a key that is no field of it is refused.
FORBID = {"extra": "forbid"}

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Gt(0), Le(1)]
Decay = Annotated[float, Ge(0), Lt(1)]
Count = Annotated[int, Ge(1)]
Seed = Annotated[int, Ge(0), Le(2**32)]

_CHECKS: dict[type, tuple[str, str, Callable[[Any, Any], bool]]] = {
    Gt: ("gt", ">", lambda value, bound: value > bound),
    Ge: ("ge", ">=", lambda value, bound: value >= bound),
    Lt: ("lt", "<", lambda value, bound: value < bound),
    Le: ("le", "<=", lambda value, bound: value <= bound),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """What the type of a field says about its values."""

    name: str
    constraints: tuple[Gt | Ge | Lt | Le, ...]
    is_whole: bool
    is_number: bool  # and no collection of numbers
    is_optional: bool

    def may_be(self, value: object) -> bool:
        """Return whether a value is None where that is allowed, or a tensor of one number, as torch takes for `lr`."""
        return self.is_optional if value is None else getattr(value, "shape", None) == ()


def check_bounds(settings: Any) -> None:
    """Raise `ValueError` naming every field of a settings dataclass that is out of its bounds, or not finite."""
    problems = []
    for field in _fields(cast(Hashable, type(settings))):
        name, value = field.name, getattr(settings, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            problems.append(f"{name} must be a finite number, got {value}")
        elif isinstance(value, int | float):
            problems += [f"{name} must be {rule}, got {value}" for rule in _broken(field, value)]
            if isinstance(value, float) and field.is_whole:
                problems.append(f"{name} must be a whole number, got {value}")
        elif isinstance(value, str) and field.constraints:  # 1e-3 of a YAML file is one
            problems.append(f"{name} must be a number, got the text {brief(value)}")
        elif field.is_number and not field.may_be(value):
            problems.append(f"{name} must be a number, got {brief(value)}")
    if problems:
        raise ValueError("; ".join(problems))


def is_bound(settings_class: type, name: str, value: float) -> bool:
    """Return whether nothing that a field may have lies on one side of a value."""
    inclusive = {Ge: "ge", Le: "le"}
    constraints = [
        one for field in _fields(cast(Hashable, settings_class)) if field.name == name for one in field.constraints
    ]
    return any(getattr(one, inclusive[type(one)]) == value for one in constraints if type(one) in inclusive)


def field_names(settings_class: type) -> tuple[str, ...]:
    """Return the names that a table of this kind may have."""
    return tuple(field.name for field in dataclasses.fields(settings_class) if not is_place(field))


@cache
def _fields(settings_class: Hashable) -> tuple[_Field, ...]:
    """Return the fields of a class: its types are read once, and not again for every stored run."""
    hints = get_type_hints(settings_class, include_extras=True)
    return tuple(
        _Field(name, tuple(_constraints(hint)), _is_whole(hint), _is_number(hint), type(None) in get_args(hint))
        for name, hint in hints.items()
    )


def _broken(field: _Field, value: float) -> list[str]:
    broken = []
    for constraint in field.constraints:
        attribute, sign, holds = _CHECKS[type(constraint)]
        bound = getattr(constraint, attribute)
        if not holds(value, bound):
            broken.append(f"{sign} {bound}")
    return broken


def _is_number(hint: Any) -> bool:
    """Return whether a hint is a number with bounds, or such a number or None."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return any(get_origin(part) is Annotated and get_args(part)[0] in (int, float) for part in parts)


def _is_whole(hint: Any) -> bool:
    """Return whether a hint is `Count`, or `Count | None`."""
    return hint == Count or Count in get_args(hint)


def _constraints(hint: Any) -> list[Gt | Ge | Lt | Le]:
    if get_origin(hint) is not Annotated:  # `Count | None` holds its constraint one level down
        return [found for part in get_args(hint) for found in _constraints(part)]
    found: list[Gt | Ge | Lt | Le] = []
    for constraint in get_args(hint)[1:]:
        assert not isinstance(constraint, Interval), "write the two bounds apart"
        if isinstance(constraint, Gt | Ge | Lt | Le):
            found.append(constraint)
    return found
