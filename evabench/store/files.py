"""`results/<suite>/<host.id>/runs.jsonl`: append only, one line a run, raw samples included."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from evabench.records.run import Run
from evabench.store.schema import from_line, to_line


class RunStore:
    """One file of runs. Appending is whole or not at all; a line is never edited.

    Two runs with one key are two attempts: the last one counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a torn last line went, if there was one

    def load(self) -> tuple[Run, ...]:
        """Return the last attempt at every key, in the order of the file. Raises `StoreError` for a damaged line."""
        if not self.path.exists():
            return ()
        lines = self.path.read_text(encoding="utf-8").split("\n")
        whole = lines[:-1]  # a crash while writing leaves a last line without its end: it never counted
        runs: dict[str, Run] = {}
        for number, line in enumerate(whole, start=1):
            run = from_line(line, f"{self.path}, line {number}")
            runs.pop(run.key, None)
            runs[run.key] = run
        return tuple(runs.values())

    def append(self, runs: Sequence[Run]) -> None:
        """Write runs behind the last whole line and force them to the disk, under the file's lock."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(to_line(run) + "\n" for run in runs).encode()
        with FileLock(f"{self.path}.lock"), self.path.open("ab+") as file:
            self._set_torn_line_aside(file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _set_torn_line_aside(self, descriptor: int) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole == len(content):
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"{self.path.name}.torn-{stamp}")
        self.set_aside.write_bytes(content[whole:])
        os.ftruncate(descriptor, whole)
