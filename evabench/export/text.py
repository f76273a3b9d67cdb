"""Names of suites and files are anybody's text: what they must not become in a table of another program."""

from typing import Any

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_LATEX = {
    "\\": r"\textbackslash{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts are no formulas of a spreadsheet: what looks like one gets an apostrophe before it."""
    return _each_text(frame, lambda text: f"'{text}" if text.startswith(_FORMULA_STARTS) else text)


def latex_escaped(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts and column names LaTeX prints as they are."""
    return _each_text(frame, _escaped).rename(columns=_escaped)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(char, char if char.isprintable() else " ") for char in text)


def _each_text(frame: pd.DataFrame, change: Any) -> pd.DataFrame:
    return frame.map(lambda value: change(value) if isinstance(value, str) else value)
