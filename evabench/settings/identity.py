"""What tells two things apart: every field, but for those that have their legacy value.

A field that came later has the value that every run before it had: its *legacy value*, written beside the field and
never changed. There it is left out, so that a new field makes no stored run another one. Its default is another
matter and may be changed: what is left out is the legacy value alone, so no two things ever become one.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import Field, field, fields, is_dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")
Named = tuple[str, Any]

_KEY = "legacy"
_PLACE = "place"
_SAME: Final = object()


def legacy(value: T, *, default: T | object = _SAME) -> T:
    """Return a field of a dataclass that came when there were runs: all of them had this value.

    Its default is the same unless another one is given, for settings that are written from then on.
    """
    present = value if default is _SAME else default
    return cast(T, field(default=present, metadata={_KEY: value}))


def place() -> Any:
    """Return a field that says where a thing lies, and not what it is: in no identity, no comparison and no suite."""
    return field(default=None, compare=False, repr=False, metadata={_PLACE: True})


def is_place(one: "Field[Any]") -> bool:
    """Return whether a field says where a thing lies."""
    return _PLACE in one.metadata


def legacy_values(kind: type) -> dict[str, Any]:
    """Return the legacy values of a dataclass, by field."""
    return {one.name: one.metadata[_KEY] for one in fields(kind) if _KEY in one.metadata}


def identity(value: Any) -> Any:
    """Return what a dataclass, or what lies in one, is, as plain values of JSON."""
    read = _READERS.get(type(value))
    if read is not None:
        return read(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: found for name, found in _told(value)}
    if isinstance(value, Mapping):
        return {str(key): identity(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [identity(inner) for inner in value]
    raise TypeError(f"a {type(value).__name__} has no identity: {value!r}")


def _told(value: Any) -> Iterator[Named]:
    for name, has_legacy, old in _plan(cast(Hashable, type(value))):
        found = getattr(value, name)
        if has_legacy and type(found) is type(old) and found == old:
            continue
        yield name, identity(found)


@cache
def _plan(kind: Hashable) -> tuple[tuple[str, bool, Any], ...]:
    return tuple(
        (one.name, _KEY in one.metadata, one.metadata.get(_KEY))
        for one in fields(cast(type, kind))
        if not is_place(one)
    )


def _itself(value: Any) -> Any:
    return value


_READERS: dict[type, Callable[[Any], Any]] = dict.fromkeys((str, int, float, bool, type(None)), _itself)
