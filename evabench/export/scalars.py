"""A record -> its numbers, one by one, with a name, a unit and, in a series, a step.

Every record is walked in the same way, so that a new kind of measurement needs nothing here. A number is named by the
fields that lead to it, joined by dots: `peak.activations`. What a record computes (its properties) is there beside what
it stores. Of a list, what has a `step` of its own is a series; plain numbers, and what has a name or a place alone, are
raw samples.
"""

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

_UNITS = (  # by the last words of a name; the first that fits
    (("joules_per_step",), "J"),
    (("bytes_per_step",), "B"),
    (("seconds", "seconds_per_step"), "s"),
    (("bytes",), "B"),
    (("joules",), "J"),
    (("watts",), "W"),
    (("steps", "cycles"), "steps"),
    (("share", "accuracy", "multiple", "factor", "disagreement"), "1"),
    (("loss", "losses"), "loss"),
    (("bits_per_byte",), "bit/B"),
)
_OF_BYTES = frozenset({"PeakBytes", "LiveBytes"})  # classes whose every number is bytes
_OF_SECONDS = frozenset({"amortised", "steps"})  # mappings from a part of a step to its time


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One number of a record."""

    metric: str
    value: float  # NaN: it was not finite, or is not known
    unit: str  # "" for a plain count
    step: int | None = None  # training steps before it; of raw samples, their place
    raw: bool = False


def scalars(record: Any, *, raw: bool = False) -> Iterator[Scalar]:
    """Yield the numbers of a record; the raw samples too where they are asked for."""
    return (one for one in _of_record(record, "", None, False) if raw or not one.raw)


def _of_record(record: Any, prefix: str, step: int | None, raw: bool) -> Iterator[Scalar]:
    for name in _names(cast(Hashable, type(record))):
        value = getattr(record, name)
        if not (name == "step" and step is not None):
            yield from _of_value(value, f"{prefix}{name}", _unit(type(record), name), step, raw)


def _of_value(value: Any, metric: str, unit: str, step: int | None, raw: bool) -> Iterator[Scalar]:
    if isinstance(value, bool | int | float):
        yield Scalar(metric=metric, value=float(value), unit=unit, step=step, raw=raw)
    elif is_dataclass(value):
        yield from _of_record(value, f"{metric}.", step, raw)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _of_value(inner, f"{metric}.{key}", unit, step, raw)
    elif isinstance(value, tuple):
        yield from _of_list(value, metric, unit, step, raw)


def _of_list(values: tuple[Any, ...], metric: str, unit: str, step: int | None, raw: bool) -> Iterator[Scalar]:
    for place, value in enumerate(values):
        own = getattr(value, "step", None)
        if isinstance(own, int):
            yield from _of_record(value, f"{metric}.", own, raw)
        elif is_dataclass(value):
            yield from _of_record(value, f"{metric}.{getattr(value, 'name', place)}.", step, True)
        elif isinstance(value, Mapping):
            yield from _of_value(value, metric, unit, place, True)
        elif value is None or isinstance(value, int | float):
            number = math.nan if value is None else float(value)
            yield Scalar(metric=metric, value=number, unit=unit, step=place if step is None else step, raw=True)


def _unit(kind: type, name: str) -> str:
    if kind.__name__ in _OF_BYTES:
        return "B"
    if name in _OF_SECONDS:
        return "s"
    return next((unit for ends, unit in _UNITS if name.endswith(ends)), "")


@cache
def _names(kind: Hashable) -> tuple[str, ...]:
    """Return the fields of a record, and those of its properties that are numbers."""
    stored = tuple(field.name for field in fields(cast(type, kind)) if field.name != "schema")
    computed = tuple(
        name
        for name, found in vars(kind).items()
        if isinstance(found, property) and not name.startswith("_") and _is_numeric(_returned(found))
    )
    return stored + computed


def _returned(found: property) -> Any:
    return get_type_hints(found.fget).get("return")


def _is_numeric(hint: Any) -> bool:
    """Return whether an annotation is a number, one that may be missing, or a mapping to numbers."""
    origin = get_origin(hint)
    if origin is dict or origin is Mapping:
        return _is_numeric(get_args(hint)[1])
    if origin is Union or type(hint).__name__ == "UnionType":
        return all(one is type(None) or _is_numeric(one) for one in get_args(hint))
    return hint in (int, float, bool)
