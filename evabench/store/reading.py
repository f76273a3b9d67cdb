"""Reading a file of sealed lines as editors, git and `cat` leave it: a bad line is told, and never hides the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from evabench.store.seal import STARTS, Line, LineError, claimed_check, is_whole, text_of, unsealed

T = TypeVar("T")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CONFLICT_MARKS = (b"<<<<<<< ", b"||||||| ", b">>>>>>> ")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """What a file holds, and what there is to say about it; each a whole sentence."""

    entries: tuple[T, ...]
    faults: tuple[str, ...] = ()  # lines that are not used, and lines that are gone
    torn: str | None = None  # the last line is not whole
    unchecked: str | None = None  # lines without a checksum

    @property
    def notes(self) -> tuple[str, ...]:
        """Return all sentences."""
        return (*self.faults, *filter(None, (self.torn, self.unchecked)))


class Reading(Generic[T]):
    """Takes the lines of a file one by one."""

    def __init__(self, path: Path, decode: Callable[[str], T]) -> None:
        self._path = path
        self._decode = decode
        self._number = 0
        self._entries: list[T] = []
        self._num_unchecked = 0
        self._torn = False
        self._bad: dict[str, list[int]] = {}  # reason -> numbers of lines
        self._checks: set[str] = set()
        self._named: dict[str, int] = {}  # check of a line before -> number of the line that names it

    def add(self, raw: bytes) -> None:
        """Take one line with its end, if it has one: two files that were joined may share a line."""
        self._number += 1
        found = pieces(raw)
        if found and not raw.endswith(b"\n") and not is_whole(found[-1]):
            self._torn = True  # a crash while it was written: it never counted
            found.pop()
        for piece in found:
            try:
                self._add_one(piece)
            except LineError as bad:
                self._bad.setdefault(str(bad), []).append(self._number)

    def result(self, last_check: str | None) -> Stored[T]:
        """Return all of it. `last_check`: the checksum of the last line that was ever written, if it is known."""
        return Stored(
            tuple(self._entries),
            faults=(*self._not_used(), *self._gone(last_check)),
            torn=self._told_torn(),
            unchecked=self._told_unchecked(),
        )

    def _add_one(self, piece: bytes) -> None:
        if piece.startswith(_CONFLICT_MARKS) or piece == b"=======":
            raise LineError("git left a mark of a merge conflict: delete it. What stands between the marks counts")
        text = text_of(piece)
        self._checks.add(claimed_check(text) or "")  # an edited line is told itself: it is not gone
        line = unsealed(text)
        self._note(line)
        self._entries.append(self._decode(line.text))
        self._num_unchecked += line.unchecked

    def _note(self, line: Line) -> None:
        self._checks.add(line.check)
        if line.before:
            self._named.setdefault(line.before, self._number)

    def _not_used(self) -> Iterable[str]:
        for reason, numbers in self._bad.items():
            yield f"{self._path}, {_lines(numbers)}: not used: {reason}."

    def _gone(self, last_check: str | None) -> Iterable[str]:
        lost = sorted(number for check, number in self._named.items() if check not in self._checks)
        if lost:
            yield (
                f"{self._path}, {_lines(lost)}: what was written before is gone, one line at least. Restore the file "
                "from a copy; `evabench run` makes again what it lacks."
            )
        if last_check and last_check not in self._checks:
            yield (
                f"{self._path}: its last line, or more, is gone since evabench wrote it. Restore the file from a copy; "
                "`evabench run` makes again what it lacks."
            )

    def _told_torn(self) -> str | None:
        if not self._torn:
            return None
        return (
            f"The last line of {self._path} is not whole: the program stopped while it was written, or is writing now. "
            "It was passed over; the next `evabench run` of this suite sets it aside."
        )

    def _told_unchecked(self) -> str | None:
        if not self._num_unchecked:
            return None
        return (
            f"{self._num_unchecked:,} of the {len(self._entries):,} lines of {self._path} are unchecked: they were "
            "written without a checksum, so an edit of them would not be seen."
        )


def pieces(raw: bytes) -> list[bytes]:
    """Return the lines of ours in a line of a file: none in a blank one, two where files were joined without an end."""
    found = (
        piece.strip().removeprefix(_BYTE_ORDER_MARK).removesuffix(_BYTE_ORDER_MARK).strip()
        for piece in (STARTS.split(raw) if _is_joined(raw) else (raw,))
    )
    return [piece for piece in found if piece]


def _is_joined(raw: bytes) -> bool:
    """Return whether a line of ours begins behind the first byte; far quicker than to split every line."""
    return raw.find(b'{"check": ', 1) >= 0 or raw.find(b'{"schema": ', 1) >= 0


def _lines(numbers: Iterable[int]) -> str:
    """Return "line 3", or "lines 3 to 5 and 9"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number <= ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    words = [f"{low}" if low == high else f"{low} to {high}" for low, high in ranges]
    if words == [f"{ranges[0][0]}"]:
        return f"line {words[0]}"
    return "lines " + " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
