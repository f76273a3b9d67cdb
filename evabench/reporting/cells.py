"""Where a number stands in a table: its row by what the first cell says, its column by the heading.

Both are part of an address, so they are letters, digits and dashes, whatever the names are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evabench.reporting.tables.table import Table

_LETTERS = 40  # of a name
_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # "step / SGD [95 %]" is the column step-sgd


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Some rows of a table, and one column of it or all."""

    rows: tuple[int, ...]
    column: int | None = None


def slug(name: str) -> str:
    """Return a name as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LETTERS].rstrip("-") or "x"


def row_ids(table: Table) -> tuple[str, ...]:
    """Return the id of each row; rows that begin alike are numbered."""
    return each_once(slug(row[0]) for row in table.rows)


def column_ids(table: Table) -> tuple[str, ...]:
    """Return the id of each column, the first one's too."""
    return each_once(slug(_ASIDE.sub("", heading)) for heading in table.headings)


def find_place(table: Table, wanted: str) -> Place | None:
    """Return the place "ROW" or "ROW/COLUMN", each by id or by name; None where the table has no such row.

    A name that several rows begin with stands for all of them. Raises `KeyError` where the row has no such column.
    """
    ids = row_ids(table)
    keys = sorted({*ids, *(row[0] for row in table.rows)}, key=len, reverse=True)
    for key in keys:  # the longest first: a name may have a "/" in it
        if wanted != key and not wanted.startswith(f"{key}/"):
            continue
        rows = tuple(
            place for place, (row, own) in enumerate(zip(table.rows, ids, strict=True)) if key in (row[0], own)
        )
        return Place(rows=rows, column=_column(table, wanted[len(key) + 1 :]) if wanted != key else None)
    return None


def only(table: Table, place: Place) -> Table:
    """Return what of a table stands at a place, with the first cell of each row."""
    columns = range(len(table.headings)) if place.column is None else sorted({0, place.column})
    headings = tuple(table.headings[column] for column in columns)
    return Table(
        title=table.title,
        headings=headings,
        rows=tuple(tuple(table.rows[row][column] for column in columns) for row in place.rows),
        text=table.text & frozenset(headings),
    )


def _column(table: Table, wanted: str) -> int:
    ids = column_ids(table)
    for place, heading in enumerate(table.headings):
        if wanted in (heading, ids[place]):
            return place
    raise KeyError(wanted)


def each_once(slugs: Iterable[str]) -> tuple[str, ...]:
    """Return the slugs with a number behind each that is there more than once."""
    found: Sequence[str] = tuple(slugs)
    times, taken, made = Counter(found), set(found), list[str]()
    for own in found:
        number = 1
        while times[own] > 1 and f"{own}-{number}" in taken:
            number += 1
        made.append(own if times[own] == 1 else f"{own}-{number}")
        taken.add(made[-1])
    return tuple(made)
