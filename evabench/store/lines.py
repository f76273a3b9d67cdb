"""A file of sealed lines that is only ever appended to, and survives a crash in the middle of a write."""

import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from evabench.errors import OutputError, StoreError, cannot_write
from evabench.store.reading import Reading, Stored, pieces
from evabench.store.seal import STARTS, is_whole, sealed, text_of, unsealed

T = TypeVar("T")


class LineFile:
    """Appending is whole or not at all; a line is never edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a torn last line went, if there was one
        self._last_check = path.with_name(f"{path.name}.last")  # of the last line: it has none behind it to name it

    def read(self, decode: Callable[[str], T]) -> Stored[T]:
        """Return what the lines hold, and what is wrong with the file. Raises `StoreError` where it cannot be read.

        `decode` raises `LineError` for a line that holds no such thing: the line is told, and the others count.
        """
        last_check = self._read_last_check()  # before the lines: another process may append meanwhile
        reading = Reading(self.path, decode)
        if not os.path.exists(self.path):  # not the method, which falls over a name that is too long
            return reading.result(None)
        try:
            with self.path.open("rb") as file:
                for raw in file:
                    reading.add(raw)
        except OSError as error:
            raise StoreError(f"{self.path}: it cannot be read: {error.strerror}.") from None
        return reading.result(last_check)

    def mend(self) -> None:
        """Set a torn last line aside, as the next `append` would. A file that is whole may be read-only."""
        if self.read(lambda _: None).torn:
            self.append(())

    def append(self, lines: Sequence[str]) -> None:
        """Seal JSON objects and write them behind the last whole line, forced to the disk, under the file's lock.

        Raises `OutputError` where the file cannot be written; it is then as it was.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                lost = self._read_last_check() if self.path.exists() else None  # a file that is gone begins anew
                with self.path.open("ab+", buffering=0) as file:
                    self._append(file, lines, lost)
        except (OSError, NotImplementedError) as error:
            raise cannot_write_results(self.path, error) from error

    def _append(self, file: FileIO, lines: Sequence[str], last_check: str | None) -> None:
        end, check = self._end(file, last_check)
        text = []
        for line in lines:
            whole, check = sealed(line, check)
            text.append(whole + "\n")
        if text:
            _write_whole(file, ("" if end else "\n") + "".join(text))
            self._write_last_check(check)

    def _end(self, file: FileIO, last_check: str | None) -> tuple[bool, str]:
        """Return whether the last line has its end, and the checksum that the next line has to name.

        A torn last line is set aside first.
        """
        if os.fstat(file.fileno()).st_size == 0:
            return True, last_check or ""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = content.rfind(b"\n") + 1
            tail = content[start:]
            whole, torn = _split_torn(tail)
            named = _check_at_the_end(content, start + len(whole))
            if last_check and last_check != named and content.find(f'"check": "{last_check}"'.encode()) < 0:
                named = last_check  # the last line that was written is gone: from now on a line says so
        if torn:
            self._set_torn_line_aside(torn)
            os.ftruncate(file.fileno(), start + len(whole))
        return not whole, named

    def _set_torn_line_aside(self, torn: bytes) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"{self.path.name}.torn-{stamp}")
        self.set_aside.write_bytes(torn)

    def _read_last_check(self) -> str | None:
        try:
            return self._last_check.read_text(encoding="ascii").strip() or None
        except (OSError, ValueError):
            return None

    def _write_last_check(self, check: str) -> None:
        with suppress(OSError):  # the runs are on the disk; an older checksum is in the file, too
            self._last_check.write_text(check + "\n", encoding="ascii")


def cannot_write_results(path: Path, error: Exception) -> OutputError:
    """Return the error with the ways out. `NotImplementedError`: a lock on a file system that has none."""
    return cannot_write(path, error, "choose another folder: --results DIR")


def _split_torn(tail: bytes) -> tuple[bytes, bytes]:
    """Return what is whole of a last line without an end, and what is not: its last piece may be torn."""
    *_, start = (0, *(match.start() for match in STARTS.finditer(tail)))
    if all(is_whole(piece) for piece in pieces(tail[start:])):
        return tail, b""
    return tail[:start], tail[start:]


def _check_at_the_end(content: mmap.mmap, end: int) -> str:
    """Return the checksum of the last line that is as it was written; empty where there is none."""
    while end > 0:
        start = content.rfind(b"\n", 0, end - 1) + 1
        for piece in reversed(pieces(content[start:end])):
            if is_whole(piece):
                return unsealed(text_of(piece)).check
        end = start
    return ""


def _write_whole(file: FileIO, text: str) -> None:
    """Write the text and force it to the disk; where the disk is full, leave nothing of it."""
    start = file.seek(0, os.SEEK_END)
    left = memoryview(text.encode())
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        os.ftruncate(file.fileno(), start)
        raise
