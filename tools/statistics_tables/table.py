"""A table of shares, and its place in the docs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
BEGIN, END = "<!-- simulated: begin -->", "<!-- simulated: end -->"
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of numbers with what they are of."""

    title: str
    headings: Row
    rows: tuple[Row, ...]

    @property
    def markdown(self) -> str:
        """Return the table as it stands in the docs."""
        ruler = ["---"] + ["---:"] * (len(self.headings) - 1)
        lines = [self.headings, tuple(ruler), *self.rows]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def share(count: float, num: int) -> str:
    """Return "4.8 %"."""
    return f"{100 * count / num:.1f} %"


def written(text: str, tables: Iterable[Table], num: int) -> str:
    """Return the page with the tables in their place."""
    shown = "\n".join(table.markdown for table in tables)
    block = f"{BEGIN}\n`python -m tools.statistics_tables --draws {num}`\n\n{shown}{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, text, flags=re.S)
