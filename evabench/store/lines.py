"""A file of lines that is only ever appended to, and survives a crash in the middle of a write."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from filelock import FileLock

from evabench.errors import StoreError

_END = b"\n"


class LineFile:
    """Appending is whole or not at all; a line is never edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a torn last line went, if there was one

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each whole line with its place. Raises `StoreError` for a line that is no text, or no file at all.

        A crash while writing leaves a last line without its end: it never counted.
        """
        for number, line in enumerate(self._read().split(_END)[:-1], start=1):
            place = f"{self.path}, line {number}"
            try:
                yield line.decode(), place
            except UnicodeDecodeError:
                raise StoreError(f"{place}: this is no text. Move the line into another file to go on.") from None

    def torn_line(self) -> str | None:
        """Return a sentence about a last line that has no end, None where there is none. Changes nothing."""
        content = self._read()
        if not content or content.endswith(_END):
            return None
        return (
            f"The last line of {self.path} is not whole: the program stopped while it was written, or is writing now. "
            "It was passed over; the next `evabench run` of this suite sets it aside."
        )

    def mend(self) -> None:
        """Set a torn last line aside, as the next `append` would. A file that is whole may be read-only."""
        if self.torn_line():
            self.append(())

    def append(self, lines: Sequence[str]) -> None:
        """Write lines behind the last whole one and force them to the disk, under the file's lock.

        Raises `StoreError` where the file cannot be written; it is then as it was.
        """
        text = "".join(line + "\n" for line in lines).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"), self.path.open("ab+", buffering=0) as file:
                self._set_torn_line_aside(file.fileno())
                _write_whole(file, text)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise StoreError(f"{self.path}: it cannot be read: {error.strerror}.") from None

    def _set_torn_line_aside(self, descriptor: int) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(_END) + 1
        if whole == len(content):
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"{self.path.name}.torn-{stamp}")
        self.set_aside.write_bytes(content[whole:])
        os.ftruncate(descriptor, whole)


def cannot_write(path: Path, error: OSError) -> StoreError:
    """Return the error with the ways out."""
    return StoreError(
        f"{path}: it cannot be written: {error.strerror or error}. Make room for it, or choose another folder: "
        "--results DIR"
    )


def _write_whole(file: FileIO, text: bytes) -> None:
    """Write the text and force it to the disk; where the disk is full, leave nothing of it."""
    start = file.seek(0, os.SEEK_END)
    left = memoryview(text)
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        os.ftruncate(file.fileno(), start)
        raise
