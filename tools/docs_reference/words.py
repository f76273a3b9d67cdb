"""Types and values in the words of a suite file, and rows of a Markdown table."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen

from evabench.settings.choices import Value

_PLAIN: Mapping[Any, str] = {bool: "true, false", int: "whole number", float: "number", str: "text", Any: "value"}
_BOUNDS = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    return [*lines, *(f"| {' | '.join(map(in_a_cell, row))} |" for row in rows)]


def in_a_cell(text: str) -> str:
    """Return text that breaks no table."""
    return " ".join(text.split()).replace("|", "\\|")


def what_it_may_be(hint: Any) -> str:
    """Return what a value of a type may be: "number > 0"."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint == Value:
        return "value, or a list of values"
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(what_it_may_be(parts[0]), parts[1:])
    if origin is Literal:
        return ", ".join(as_written(part) for part in _flat(parts))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(what_it_may_be(part) for part in parts if part is not NoneType))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of: {what_it_may_be(parts[1])}"
    if origin is tuple:
        return f"list of: {what_it_may_be(parts[0])}"
    return "table" if dataclasses.is_dataclass(hint) else getattr(hint, "__name__", str(hint))


def _bounded(words: str, notes: Sequence[Any]) -> str:
    signs = [
        f"{sign} {getattr(note, attribute):g}"
        for note in notes
        for kind, attribute, sign in _BOUNDS
        if isinstance(note, kind)
    ]
    least = [f"{note.min_length} at least" for note in notes if isinstance(note, MinLen)]
    return ", ".join([" ".join([words, " and ".join(signs)]).strip(), *least])


def _flat(parts: Sequence[Any]) -> list[Any]:
    return [one for part in parts for one in (_flat(get_args(part)) if get_origin(part) is Literal else [part])]


def default_of(field: Any) -> str:
    """Return what a field is where nothing is said: as it is written in a file, "required", or "-" for nothing."""
    if field.default is not dataclasses.MISSING:
        return as_written(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return as_written(field.default_factory())
    return "required"


def as_written(value: Any) -> str:
    """Return a value as a suite file has it."""
    match value:
        case None:
            return "-"
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f'`"{value}"`'
        case int() | float():
            return f"`{value!r}`"
        case tuple() | list():
            return f"`[{', '.join(as_written(one).strip('`') for one in value)}]`"
        case _:
            return "-" if not value or dataclasses.is_dataclass(value) else str(value)


def head(name: str) -> str:
    """Return the beginning of a page or of a part, which is written by hand."""
    return (Path(__file__).parent / "heads" / name).read_text(encoding="utf-8")
