"""Where runs of a suite lie that are not used here, and the fields that keep them from it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from evabench.errors import StoreError
from evabench.records.cell import Cell
from evabench.records.code import Code
from evabench.records.environment import Environment
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.store.files import RunStore

_UNSAID = "as it always was"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """One folder of runs that were made on another host."""

    folder: Path
    num_runs: int
    differing: tuple[str, ...]  # "num_cpus: 8 there, 2 here"

    @property
    def sentence(self) -> str:
        """Return what lies there, and why it is not used."""
        runs = "1 run" if self.num_runs == 1 else f"{self.num_runs} runs"
        return f"{self.folder}: {runs} of another host ({'; '.join(self.differing)})."


def stored_elsewhere(results: Path, suite_name: str, host: Host) -> tuple[Elsewhere, ...]:
    """Return the folders of other hosts that have runs of a suite. A file that cannot be read is passed over."""
    return tuple(_of_other_hosts(results / suite_name, host))


def host_differences(there: Host, here: Host) -> tuple[str, ...]:
    """Return the fields in which two hosts differ, with both values, in words."""
    return tuple(
        f"{field.name}: {_words(getattr(there, field.name))} there, {_words(getattr(here, field.name))} here"
        for field in fields(Host)
        if getattr(there, field.name) != getattr(here, field.name)
    )


def run_differences(there: Run, cell: Cell, environment: Environment, code: Code) -> tuple[str, ...]:
    """Return what keeps a stored run from being one that is asked for here, on the same host, in words."""
    settings = _differences("", json.loads(there.cell.identity), json.loads(cell.identity))
    packages = _differences("", dict(there.environment.identity), dict(environment.identity))
    parts = sorted(part for part, one in code.hashes.items() if there.code.hashes.get(part) != one)
    return (*settings, *packages, *([f"code: {', '.join(parts)}"] if parts else []))


def _differences(place: str, there: Any, here: Any) -> Iterator[str]:
    """Yield the fields in which two identities differ; one that is in neither has its legacy value in both."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in sorted({*there, *here}):
            yield from _differences(
                f"{place}.{name}" if place else name, there.get(name, _UNSAID), here.get(name, _UNSAID)
            )
    elif there != here:
        yield f"{place}: {there} there, {here} here"


def _of_other_hosts(folder: Path, host: Host) -> Iterator[Elsewhere]:
    files = sorted(folder.glob("*/runs.jsonl")) if os.path.isdir(folder) else []  # a name too long is no folder
    for path in files:
        if path.parent.name == host.id:
            continue
        runs = _runs(path)
        if runs:
            differing = host_differences(runs[-1].host, host)
            yield Elsewhere(folder=path.parent, num_runs=len(runs), differing=differing)


def _runs(path: Path) -> tuple[Run, ...]:
    try:
        return RunStore(path).read().entries
    except StoreError:
        return ()


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_words, value)) or "none"
    name = getattr(value, "name", None)
    if name is None:
        return "not known" if value is None else str(value)
    numbers = [
        f"{field.name} {found}" for field in fields(value)[1:] if (found := getattr(value, field.name)) is not None
    ]
    return f"{name} ({', '.join(numbers)})" if numbers else name
