"""A document, its tables and its sentences, with what the committed runs say should stand there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedTable:
    """A table whose every row is computed; the heading row finds it."""

    page: str
    heading: Row
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedWords:
    """A part of a sentence with its figures, as computed."""

    page: str
    text: str


Computed = ComputedTable | ComputedWords


def mistakes(computed: Computed, docs: Path = DOCS) -> Iterator[str]:
    """Yield where the document has something else, with what was computed."""
    text = (docs / computed.page).read_text(encoding="utf-8")
    if isinstance(computed, ComputedWords):
        if _plain(computed.text) not in _plain(text):
            yield f"{computed.page} does not say: {computed.text}"
        return
    found = _table(text, computed.heading)
    if found is None:
        yield f"{computed.page} has no table | {' | '.join(computed.heading)} |"
        return
    for has, should in zip(found, computed.rows, strict=False):
        if has != should:
            yield f"{computed.page} has | {' | '.join(has)} |, computed: | {' | '.join(should)} |"
    if len(found) != len(computed.rows):
        yield f"{computed.page}, {computed.heading}: {len(found)} rows, {len(computed.rows)} computed"


def _table(text: str, heading: Row) -> list[Row] | None:
    lines = iter(text.splitlines())
    for line in lines:
        if line.lstrip().startswith("|") and _cells(line) == heading:
            next(lines)
            rows = []
            for row in lines:
                if not row.lstrip().startswith("|"):
                    break
                rows.append(_cells(row))
            return rows
    return None


def _cells(line: str) -> Row:
    return tuple(_plain(cell) for cell in line.strip().strip("|").split("|"))


def _plain(text: str) -> str:
    """Return text without emphasis and line ends."""
    return re.sub(r"\s+", " ", re.sub(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|`", "", text)).strip()
