"""Names of suites and files are anybody's text: what they must not become in a table of another program."""

from typing import Any

import pandas as pd

from evabench.errors import printable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MOST_LETTERS = 80  # of a cell of a table on paper
_LATEX = {
    "\\": r"\textbackslash{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts a spreadsheet shows as they are: one line, no formula, no mark that turns it around.

    What looks like a formula gets an apostrophe before it; what nobody can see is spelled out.
    """
    return _each_text(frame, _plain)


def latex_escaped(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts and column names LaTeX prints as they are, the long ones shortened."""
    return _each_text(frame, _escaped).rename(columns=_escaped)


def _plain(text: str) -> str:
    shown = printable(text).replace("\n", "\\n")
    return f"'{shown}" if text.startswith(_FORMULA_STARTS) else shown


def _escaped(text: str) -> str:
    shown = text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."
    return "".join(_LATEX.get(char, char if char.isprintable() else " ") for char in shown)


def _each_text(frame: pd.DataFrame, change: Any) -> pd.DataFrame:
    return frame.map(lambda value: change(value) if isinstance(value, str) else value)
