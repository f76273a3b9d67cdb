"""`results/<suite>/<host.id>/targets.jsonl`: append only, one sealed line per target that runs have set.

    1   2026-11-24   the first
    2   2026-11-26   cell: what it is for

A line is `{"schema": N, "hash": "...", "target": {...}}`. It is a record for people and tools: what decides
are the runs that it names, in `runs.jsonl` beside it. A target follows from them, so a line that was lost or edited is
written anew.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from evabench.records.codec import decode, encode, first_mistake
from evabench.records.set_target import SetTarget
from evabench.store.lines import LineFile
from evabench.store.reading import Stored
from evabench.store.schema import lift_cell
from evabench.store.seal import LineError

SCHEMA = 2


class TargetStore:
    """One file of targets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LineFile(path)

    @property
    def set_aside(self) -> Path | None:
        """Return where a torn last line went, if there was one."""
        return self._file.set_aside

    def mend(self) -> None:
        """Set a torn last line aside. Raises `OutputError` where that cannot be written."""
        self._file.mend()

    def load(self) -> tuple[SetTarget, ...]:
        """Return all targets, in the order of the file."""
        return self.read().entries

    def read(self) -> Stored[SetTarget]:
        """Return all targets, with what there is to say about the file. Raises `StoreError` where it is none."""
        return self._file.read(_from_line)

    def record(self, targets: Iterable[SetTarget]) -> None:
        """Append those that have no line that can be used."""
        known = self.load()
        new = [_to_line(target) for target in targets if target not in known]
        if new:
            self._file.append(new)


def _to_line(target: SetTarget) -> str:
    return f'{{"schema": {SCHEMA}, "hash": "{target.hash}", "target": {encode(SetTarget, target)}}}'


def _from_line(line: str) -> SetTarget:
    try:
        outer = json.loads(line)
        schema = outer["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LineError("this is no target of evabench") from None
    if outer.keys() - {"schema", "hash", "target"}:
        raise LineError("it has fields that evabench never wrote")
    if schema not in {1, SCHEMA}:
        raise LineError(f"a newer evabench wrote it (schema {schema}; known here: {SCHEMA})")
    try:
        if schema == 1:
            lift_cell(outer["target"]["cell"])
        return decode(SetTarget, json.dumps(outer["target"]))
    except ValidationError as error:
        raise LineError(f"the target is damaged: {first_mistake(error)}") from None
    except (KeyError, TypeError, AttributeError):
        raise LineError("the target is damaged: there is none") from None
