"""The seal of a line: a checksum of the line, and the checksum of the line before it.

    {"check": "<of all that follows>", "before": "<the check of the line before; empty: the first>", "schema": ...}

An edited line no longer matches its own checksum. A line that vanished is still named by the one behind it. Lines may
be in any order and from several files: what is named has to be there, wherever. A line without a seal (evabench wrote
none before) is named by the checksum of its text.
"""

import hashlib
import json
import re
from dataclasses import dataclass

_OPENS = '{"check": "'
_SEAL = re.compile(r'\{"check": "([0-9a-f]{16})", ("before": "([0-9a-f]{16}|)", )')
# Where a line of ours begins. Inside of a text the quotation mark is escaped, and nested records have no blanks.
STARTS = re.compile(rb'(?=\{"(?:check|schema)": )')


class LineError(Exception):
    """What is wrong with a line, as the end of a sentence about it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is as it was written, as far as one can tell."""

    text: str  # without the seal
    check: str  # what the line behind it names
    before: str | None  # the check of the line before; None: unchecked, empty: it was the first

    @property
    def unchecked(self) -> bool:
        """Return whether the line has no seal, so that an edit of it would not be seen."""
        return self.before is None


def sealed(text: str, before: str) -> tuple[str, str]:
    """Return a JSON object with its seal, and the checksum that the next line has to name."""
    body = f'"before": "{before}", {text[1:]}'
    check = checksum(body)
    return f'{_OPENS}{check}", {body}', check


def unsealed(line: str) -> Line:
    """Return the line without its seal. Raises `LineError` where it was changed."""
    match = _SEAL.match(line)
    if match is None:
        if claimed_check(line) is not None:
            raise LineError("its seal was changed after it was written")
        return Line(line, checksum(line), None)
    if checksum(line[match.start(2) :]) != match[1]:
        raise LineError("it was changed after it was written (its checksum does not match)")
    return Line("{" + line[match.end() :], match[1], match[3])


def claimed_check(line: str) -> str | None:
    """Return the checksum that a line says it has, right or wrong; None where it says none."""
    match = re.match(r'\s*\{\s*"check"\s*:\s*"([^"]*)"', line)
    return match and match[1]


def is_whole(piece: bytes) -> bool:
    """Return whether all of a line is there, although its end may not be: an editor leaves the end of a file away."""
    try:
        return isinstance(json.loads(unsealed(text_of(piece)).text), dict)
    except (LineError, ValueError, RecursionError):
        return False


def text_of(piece: bytes) -> str:
    """Return the text. Raises `LineError` where it is none."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        raise LineError("this is no text") from None


def checksum(text: str) -> str:
    """Return 16 hexadecimal digits of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
