"""`results/<suite>/<host.id>/runs.jsonl`: append only, one line a run, raw samples included."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from evabench.errors import StoreError
from evabench.records.run import Run
from evabench.store.lines import LineFile, cannot_write
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

    def torn_line(self) -> str | None:
        """Return a sentence about a last line that is not whole, which `load` passes over; None where there is none."""
        return self._file.torn_line()

    def mend(self) -> None:
        """Set a torn last line aside. Raises `StoreError` where that cannot be written."""
        self._file.mend()

    def load(self) -> tuple[Run, ...]:
        """Return the last attempt at every key, in the order of the file. Raises `StoreError` for a damaged line."""
        runs: dict[str, Run] = {}
        for line, place in self._file.lines():
            run = from_line(line, place)
            runs.pop(run.key, None)
            runs[run.key] = run
        return tuple(runs.values())

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keep every other `evabench run` from this file. Raises `StoreError` where one is at work in it."""
        lock = FileLock(f"{self.path}.run.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"{self.path}: another `evabench run` writes into it now. Both would make the same runs and disturb "
                "each other's timings: wait for its end, or choose another folder: --results DIR"
            ) from None
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def append(self, runs: Sequence[Run]) -> None:
        """Write runs behind the last whole line; whole or not at all."""
        self._file.append([to_line(run) for run in runs])
