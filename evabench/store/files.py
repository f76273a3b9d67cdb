"""`results/<suite>/<host.id>/runs.jsonl`: append only, one sealed line per run, raw samples included."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from evabench.errors import StoreError
from evabench.records.run import Run
from evabench.store.lines import LineFile, cannot_write_results
from evabench.store.reading import Stored
from evabench.store.schema import from_line, to_line


class RunStore:
    """One file of runs. Two runs with one key are two attempts: the last one counts."""

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

    def load(self) -> tuple[Run, ...]:
        """Return the last attempt at every key, in the order of the file."""
        return self.read().entries

    def read(self) -> Stored[Run]:
        """Return what `load` does, with what there is to say about the file. Raises `StoreError` where it is none.

        Of a run whose last attempt cannot be used, the attempt before counts: a bad line hides no other.
        """
        stored = self._file.read(from_line)
        runs: dict[str, Run] = {}
        for run in stored.entries:
            runs.pop(run.key, None)
            runs[run.key] = run
        return replace(stored, entries=tuple(runs.values()))

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keep every other `evabench run` from this file.

        Raises `StoreError` where one is at work in it, `OutputError` where no lock can be had.
        """
        lock = FileLock(f"{self.path}.run.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"{self.path}: another `evabench run` writes into it now. Both would make the same runs and disturb "
                "each other's timings: wait for its end, or choose another folder: --results DIR"
            ) from None
        except (OSError, NotImplementedError) as error:
            raise cannot_write_results(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def append(self, runs: Sequence[Run]) -> None:
        """Write runs behind the last whole line; whole or not at all. Raises `OutputError` where they cannot be."""
        self._file.append([to_line(run) for run in runs])
