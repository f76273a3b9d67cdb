"""Records <-> JSON: strict in both directions, for the pipe to the child and for the store.

Reading executes nothing: no pickle, no code. Unknown fields and values of another type are refused by pydantic.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

T = TypeVar("T")


def encode(kind: type[T] | Any, value: T) -> str:
    """Return a value as one line of JSON."""
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    return adapter.dump_json(value).decode()


def decode(kind: type[T], text: str | bytes) -> T:
    """Return the value that a line of JSON holds. Raises `pydantic.ValidationError`."""
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    return adapter.validate_json(text, strict=True)


def prepare(kind: type[T] | Any) -> None:
    """Make now what the first value of a kind would make: for a process that others are forked from."""
    _adapter(cast(Hashable, kind))


def first_mistake(error: ValidationError) -> str:
    """Return where the first mistake is and what it is, on one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} {what_is_wrong(first)}" if where else what_is_wrong(first)


_KINDS = {
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "dataclass_type": "must be a table",
    "missing": "is missing",
    "missing_argument": "is missing",
}


def what_is_wrong(detail: ErrorDetails) -> str:
    """Return one of pydantic's complaints in the words of this program, without the place and what was found."""
    if detail["type"] == "literal_error":
        return f"must be {detail['ctx']['expected']}"
    return _KINDS.get(detail["type"], detail["msg"].replace("Input should be", "must be"))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
