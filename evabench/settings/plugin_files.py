"""The files of a user's own optimizer or workload: where they lie, and their hash. Nothing of it is imported.

Both sides ask: the parent before a run is planned, the child when it loads the plug-in.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginPlace(Strict):
    """Where a plug-in was looked for, and what was there, when its suite was read."""

    folder: str  # of the suite's file
    hash: str | None  # None: it was not there


def plugin_hash(name: str, folder: Path, ahead: Sequence[Path] = ()) -> str | None:
    """Return 16 hexadecimal digits of what lies behind a plug-in's name now; None: it is not there.

    A module counts with the whole package that it lies in, a file with what it imports from beside it. Folders `ahead`
    hide what is installed.
    """
    digest = hashlib.sha256()
    try:
        found = plugin_files(name, folder, ahead)
        for path in found:
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode())
            digest.update(content)
    except OSError:
        return None
    return digest.hexdigest()[:16] if found else None


def plugin_files(name: str, folder: Path, ahead: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the files of "package.module:Name" or "path/to/file.py:Name"; empty: there is no such module.

    A path is seen from the suite's folder. A module is in a folder `ahead`, or installed, or else lies in that folder.
    """
    place = name.rpartition(":")[0]
    if place.endswith(".py"):
        return _with_neighbours(folder / place)
    return _files_of_module(place, folder, ahead)


def _files_of_module(module: str, folder: Path, ahead: Sequence[Path]) -> tuple[Path, ...]:
    top, *inner = module.split(".")
    found = (
        (_find(top, [str(one) for one in ahead]) if ahead else None) or _find(top, None) or _find(top, [str(folder)])
    )
    folders = list(found.submodule_search_locations or ()) if found else []
    for name in inner:
        found = _find(name, folders) if folders else None
        folders = list((found and found.submodule_search_locations) or folders)
    if found is None:
        return ()
    if folders:
        return tuple(sorted(path for each in folders for path in Path(each).rglob("*.py")))
    return _with_neighbours(Path(found.origin)) if found.origin else ()


def _find(name: str, folders: list[str] | None) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name) if folders is None else PathFinder.find_spec(name, folders)
    except (ImportError, ValueError):
        return None


def _with_neighbours(file: Path) -> tuple[Path, ...]:
    """Return a file, and the modules and packages beside it that it imports, directly or not, by name."""
    found: dict[Path, None] = {}
    left = [file]
    while left:
        path = left.pop()
        if path in found:
            continue
        found[path] = None
        for name in _imported(path):
            package = file.parent / name
            beside = [file.parent / f"{name}.py", *sorted(package.rglob("*.py"))]
            left += [each for each in beside if each.is_file()]
    return (file, *sorted(path for path in found if path != file))


def _imported(path: Path) -> Iterator[str]:
    """Yield the names at the top of what a file imports; none of a file that Python does not read."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Import():
                yield from (alias.name.partition(".")[0] for alias in node.names)
