"""The format of stored runs as a page: a line, and every record in it."""

import dataclasses
import textwrap
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.settings.identity import is_place
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.store import schema
from tools.docs_reference.comments import field_comments
from tools.docs_reference.words import head, in_a_cell, table, what_it_may_be

_SETTINGS = {OptimizerSettings: "arms", WorkloadSettings: "workloads"}  # that have tables on the page of settings


def data_format_page() -> str:
    """Return the page."""
    history = (schema.__doc__ or "").split("\n\n")[1]
    told = head("data-format.md").replace("HISTORY", textwrap.dedent(history))
    return "\n".join([told, *(line for kind in _records() for line in _record(kind))]) + "\n"


def _records() -> list[type]:
    """Return the record of a run and all that it holds, and that of a target, each once."""
    found: list[type] = []
    waiting = [Run, SetTarget]
    while waiting:
        kind = waiting.pop(0)
        if kind not in found:
            found.append(kind)
            waiting += [inner for hint in _hints(kind).values() for inner in _inside(hint)]
    return found


def _record(kind: type) -> Iterator[str]:
    said, hints = field_comments(kind), _hints(kind)
    yield f"\n## {kind.__name__}\n"
    yield " ".join((kind.__doc__ or "").split()) + "\n"
    yield from table(
        ("field", "type", "what it holds"),
        ((f"`{name}`", _type(hint), said.get(name, "")) for name, hint in hints.items()),
    )


def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {one.name: hints[one.name] for one in dataclasses.fields(kind) if not is_place(one)}


def _inside(hint: Any) -> list[type]:
    if hint in _SETTINGS:
        return []
    if dataclasses.is_dataclass(hint):
        return [hint] if isinstance(hint, type) else []
    parts = get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)
    return [inner for part in parts for inner in _inside(part)]


def _type(hint: Any) -> str:
    if hint in _SETTINGS:
        return f"[settings](settings.md#{_SETTINGS[hint]})"
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, parts = get_origin(hint), get_args(hint)
    if hint is NoneType:
        return "null"
    if origin is Annotated and _inside(hint):
        return _type(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in parts)
    if origin is tuple:
        return f"list of: {_type(parts[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of: {_type(parts[1])}"
    return in_a_cell(what_it_may_be(hint))
