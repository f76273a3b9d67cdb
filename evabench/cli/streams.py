"""Standard output and standard error whose reader may leave, or which nobody has opened."""

import io
import os
import sys
from typing import Any, TextIO

from evabench.errors import OutputError
from evabench.launch.descriptors import occupy_standard_descriptors


def open_streams() -> None:
    """Put streams of this kind in the place of Python's. What somebody else has put there stays."""
    occupy_standard_descriptors()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _stream(1, sys.__stdout__)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _stream(2, sys.__stderr__)


class _Forgiving(io.FileIO):
    """A reader who leaves, as `head` does, ends the printing and nothing else: the rest goes to /dev/null."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            self._forget()
            if isinstance(error, BrokenPipeError):
                return len(data)
            raise OutputError(f"the output cannot be written: {error.strerror or error}") from error

    def _forget(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def _stream(descriptor: int, like: TextIO | None) -> TextIO:
    raw = _Forgiving(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding if like else "utf-8",
        errors=like.errors if like else "backslashreplace",
        line_buffering=descriptor == 2 or raw.isatty(),
        write_through=bool(os.environ.get("PYTHONUNBUFFERED")),
    )
