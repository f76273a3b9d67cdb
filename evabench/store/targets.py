"""`results/<suite>/<host.id>/targets.jsonl`: append only, one line a target that runs have set, for people and tools.

A line is `{"schema": 1, "hash": "...", "target": {...}}`. What decides are the runs that it names, in `runs.jsonl`
beside it: a target follows from them, so a line that was lost or edited is written anew.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from evabench.errors import StoreError
from evabench.records.codec import decode, encode
from evabench.records.set_target import SetTarget
from evabench.store.lines import LineFile

SCHEMA = 1


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
        """Set a torn last line aside. Raises `StoreError` where that cannot be written."""
        self._file.mend()

    def load(self) -> tuple[SetTarget, ...]:
        """Return all targets, in the order of the file. Raises `StoreError` for a damaged line."""
        return tuple(_from_line(line, place) for line, place in self._file.lines())

    def record(self, targets: Iterable[SetTarget]) -> None:
        """Append those that have no line yet. Raises `StoreError` for a damaged line, and writes nothing then."""
        known = self.load()
        new = [_to_line(target) for target in targets if target not in known]
        if new:
            self._file.append(new)


def _to_line(target: SetTarget) -> str:
    return f'{{"schema": {SCHEMA}, "hash": "{target.hash}", "target": {encode(SetTarget, target)}}}'


def _from_line(line: str, place: str) -> SetTarget:
    out = "Move the line into another file to go on: the runs that it came from are not lost."
    try:
        outer = json.loads(line)
        schema = outer["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StoreError(f"{place}: this is no target of evabench. {out}") from None
    if schema != SCHEMA:
        raise StoreError(f"{place}: schema {schema} is not known here (known: {SCHEMA}). A newer evabench wrote it.")
    try:
        return decode(SetTarget, json.dumps(outer["target"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise StoreError(f"{place}: the line is damaged: {error}. {out}") from None
