"""A table of plain text, which the terminal, Markdown and HTML show alike. Cells are untrusted text."""

from dataclasses import dataclass

from evabench.errors import printable
from evabench.units import Bytes, Seconds, format_bytes, format_seconds

NOT_MEASURED = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; the first column names what the others are about."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""  # how to read it, in a sentence or two
    text: frozenset[str] = frozenset()  # headings, besides the first, of columns of words: these begin at the left

    def __post_init__(self) -> None:
        """Spell out control characters, which a terminal would obey: any of it may be a stranger's."""
        for name in ("title", "note"):
            object.__setattr__(self, name, printable(getattr(self, name)))
        object.__setattr__(self, "headings", tuple(map(printable, self.headings)))
        object.__setattr__(self, "text", frozenset(map(printable, self.text)))
        object.__setattr__(self, "rows", tuple(tuple(map(printable, row)) for row in self.rows))


def bytes_cell(num_bytes: Bytes | None) -> str:
    """Return bytes for people, or a dash."""
    return NOT_MEASURED if num_bytes is None else format_bytes(num_bytes)


def seconds_cell(seconds: Seconds | None) -> str:
    """Return a duration for people, or a dash."""
    return NOT_MEASURED if seconds is None else format_seconds(seconds)


def counted(number: int, what: str) -> str:
    """Return "1 seed", "3 seeds"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
