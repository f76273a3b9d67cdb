"""A file of lines that is only ever appended to, and survives a crash in the middle of a write."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from evabench.errors import StoreError


class LineFile:
    """Appending is whole or not at all; a line is never edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a torn last line went, if there was one

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each whole line with its place. Raises `StoreError` for a line that is no text, or no file at all.

        A crash while writing leaves a last line without its end: it never counted.
        """
        try:
            if not self.path.exists():
                return
            whole = self.path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise StoreError(f"{self.path}: it cannot be read: {error.strerror}.") from None
        for number, line in enumerate(whole, start=1):
            place = f"{self.path}, line {number}"
            try:
                yield line.decode(), place
            except UnicodeDecodeError:
                raise StoreError(f"{place}: this is no text. Move the line into another file to go on.") from None

    def append(self, lines: Sequence[str]) -> None:
        """Write lines behind the last whole one and force them to the disk, under the file's lock.

        Raises `StoreError` where the file cannot be written.
        """
        text = "".join(line + "\n" for line in lines).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"), self.path.open("ab+") as file:
                self._set_torn_line_aside(file.fileno())
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.path}: it cannot be written: {error.strerror or error}. Make room for it, or choose another "
                "folder: --results DIR"
            ) from error

    def _set_torn_line_aside(self, descriptor: int) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole == len(content):
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"{self.path.name}.torn-{stamp}")
        self.set_aside.write_bytes(content[whole:])
        os.ftruncate(descriptor, whole)
