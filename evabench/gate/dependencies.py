"""Whether both sides of a change ask for the same packages: one interpreter is not right for both where they do not."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

_WHOLE_FILES = ("setup.py", "setup.cfg", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")


def differing_dependencies(base: Path, head: Path) -> tuple[str, ...]:
    """Return what says that the sides need other packages, by the names of files."""
    one, other = dict(_asked(base)), dict(_asked(head))
    return tuple(name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name))


def _asked(folder: Path) -> Iterator[tuple[str, object]]:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        project = {}
    if isinstance(project, dict):
        needed = project.get("dependencies")
        yield "pyproject.toml", (sorted(map(str, needed)) if isinstance(needed, list) else None)
    for path in sorted([*(folder / name for name in _WHOLE_FILES), *folder.glob("requirements*.txt")]):
        if path.is_file():
            yield path.name, path.read_bytes()
