"""Records <-> JSON: strict in both directions, for the pipe to the child and for the store.

Reading executes nothing: no pickle, no code. Unknown fields and values of another type are refused by pydantic.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


def encode(kind: type[T] | Any, value: T) -> str:
    """Return a value as one line of JSON."""
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    return adapter.dump_json(value).decode()


def decode(kind: type[T], text: str | bytes) -> T:
    """Return the value that a line of JSON holds. Raises `pydantic.ValidationError`."""
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    return adapter.validate_json(text, strict=True)


def first_mistake(error: ValidationError) -> str:
    """Return where the first mistake is and what it is, on one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
