"""The files of evabench that a run rests on, found by their imports; nothing is imported to find them.

All children share what the launch server imports, but for the *wings*: modules that are there for one class of settings
alone, which names them. A run rests on what is shared, and on the wings of its own optimizer, workload and measurement
with all that these import. So an edit of one family makes no run of another again, and an edit of a file that all use
makes all of them again.
"""

import hashlib
import re
from collections.abc import Collection, Hashable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import evabench
from evabench.records.cell import Cell
from evabench.records.measurement import Measured, MeasurementSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.workloads import WorkloadSettings

PARTS = ("shared", "optimizer", "workload", "measurement")
_ENTRY = "evabench.worker.start"  # where every child begins
_PACKAGE = Path(evabench.__file__).parent
# On a line of its own, at the top or inside of a function; what is in brackets may go over several lines.
_IMPORT = re.compile(r"^[ \t]*(?:from (evabench[\w.]*) import (?:\(([^)]*)\)|(.*))|import (evabench[\w.]*.*))$", re.M)
_NO_NAME = re.compile(r"#.*|\bas \w+")

Modules = frozenset[str]


def sources_of(cell: Cell) -> dict[str, Modules]:
    """Return the modules that the runs of a cell rest on: what is shared, and what each wing adds to it."""
    return dict(zip(PARTS, (_shared(), *(_behind(wing) for wing in _wings(cell))), strict=True))


def hashes_of(cell: Cell) -> dict[str, str]:
    """Return a hash of each of these parts, as it was when it was first asked for."""
    return dict(zip(PARTS, (hash_of(_shared()), *(_hash_behind(wing) for wing in _wings(cell))), strict=True))


@cache
def hash_of(modules: Modules) -> str:
    """Return 16 hexadecimal digits of the names and contents of modules, as they were when this was first asked."""
    digest = hashlib.sha256()
    for name in sorted(modules):
        path = _file_of(name)
        assert path is not None, f"{name} is no module of evabench"
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """Return the modules of evabench that a module imports."""
    path = _file_of(module)
    assert path is not None, f"{module} is no module of evabench"
    found: dict[str, None] = {}
    for place, bracketed, named, plain in _IMPORT.findall(path.read_text(encoding="utf-8")):
        listed = _NO_NAME.sub("", bracketed or named or plain).split(",")
        names = [name.strip() for name in listed if name.strip()]
        found |= dict.fromkeys([place, *(f"{place}.{name}" for name in names)] if place else names)
    return tuple(name for name in found if _file_of(name) is not None)


def _closure(modules: Iterable[str], without: Collection[str]) -> Modules:
    """Return modules and all that they import, directly or not, but for what is behind `without`."""
    found: set[str] = set()
    left = [name for module in modules for name in _with_packages(module)]
    while left:
        name = left.pop()
        if name not in found and name not in without and _file_of(name) is not None:
            found.add(name)
            left += (each for module in imports_of(name) for each in _with_packages(module))
    return frozenset(found)


def _wings(cell: Cell) -> Iterator[Modules]:
    optimizer = cell.optimizer
    adapter = _adapter(optimizer.name) if isinstance(optimizer, PluginSettings) else frozenset()
    yield _wing(cast(Hashable, type(optimizer))) | adapter
    yield _wing(cast(Hashable, type(cell.workload)))
    yield _measuring(cast(Hashable, type(cell.measurement)))


@cache
def _behind(wing: Modules) -> Modules:
    return _closure(wing, _shared())


@cache
def _hash_behind(wing: Modules) -> str:
    return hash_of(_behind(wing))


@cache
def _shared() -> Modules:
    wings = [_wing(kind) for union in (OptimizerSettings, WorkloadSettings) for kind in _members(union)]
    wings += [_measuring(kind) for kind in _members(MeasurementSettings)]
    wings += [frozenset({kind.__module__}) for kind in _members(Measured)]
    return _closure([_ENTRY], frozenset().union(*wings))


def _members(union: Any) -> tuple[Any, ...]:
    return get_args(get_args(union)[0])


@cache
def _wing(kind: Any) -> Modules:
    return frozenset({kind.__module__, *kind.modules})


@cache
def _measuring(kind: Any) -> Modules:
    module, _, _ = kind.measured_by.partition(":")
    return frozenset({module})


@cache
def _adapter(name: str) -> Modules:
    """Return the module of a plug-in that comes with evabench."""
    module, _, _ = name.rpartition(":")
    return frozenset({module} if module.startswith(f"{_PACKAGE.name}.") else ())


@cache
def _file_of(module: str) -> Path | None:
    top, *inner = module.split(".")
    place = _PACKAGE.joinpath(*inner)
    candidates = (place / "__init__.py", place.with_suffix(".py")) if top == _PACKAGE.name else ()
    return next((path for path in candidates if path.is_file()), None)


def _with_packages(module: str) -> Iterator[str]:
    """Yield the packages that a module lies in, which are imported before it, and the module.

    Not evabench itself: it holds the version, and a new one makes no run again.
    """
    parts = module.split(".")
    return (".".join(parts[:length]) for length in range(2, len(parts) + 1))
