"""A frame -> a file of another program. Nothing here needs torch."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from evabench.errors import EvabenchError
from evabench.export.text import latex_escaped, without_formulas

Write = Callable[[pd.DataFrame, Path], None]


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write comma-separated values in UTF-8; floats with all their digits, and texts that are no formulas."""
    without_formulas(frame).to_csv(path, index=False)


def write_json(frame: pd.DataFrame, path: Path) -> None:
    """Write an object with `columns`, and `rows` as lists in their order; what is missing or not finite is null."""
    rows = json.loads(frame.to_json(orient="values", double_precision=15))
    path.write_text(json.dumps({"columns": list(frame.columns), "rows": rows}) + "\n", encoding="utf-8")


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet. Raises `EvabenchError` where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401  # pandas names five reasons at once where it lacks it
    except ImportError as error:
        raise EvabenchError('Parquet needs pyarrow: pip install "evabench[parquet]", or --format csv') from error
    frame.to_parquet(path, index=False)


def write_latex(frame: pd.DataFrame, path: Path) -> None:
    """Write a `tabular` that needs the package booktabs; three significant digits, texts escaped."""
    styled = latex_escaped(frame).style.hide(axis="index").format(precision=3, na_rep="")
    path.write_text(styled.to_latex(hrules=True), encoding="utf-8")


FORMATS: Final[Mapping[str, Write]] = {
    "csv": write_csv,
    "json": write_json,
    "latex": write_latex,
    "parquet": write_parquet,
}
SUFFIXES: Final[Mapping[str, str]] = {"csv": ".csv", "json": ".json", "latex": ".tex", "parquet": ".parquet"}
