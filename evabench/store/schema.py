"""A run <-> a line of JSON, with the history of the format.

    1   2026-11-24   the first

A line is `{"schema": N, "run": {...}}`. Old numbers keep loading: a new number comes with the function that lifts the
line before it.
"""

import json

from pydantic import ValidationError

from evabench.errors import StoreError
from evabench.records.codec import decode, encode
from evabench.records.run import Run

SCHEMA = 1


def to_line(run: Run) -> str:
    """Return a run as one line, without its end."""
    return f'{{"schema": {SCHEMA}, "run": {encode(Run, run)}}}'


def from_line(line: str, place: str) -> Run:
    """Return the run of a line. Raises `StoreError` with the place where the line is damaged or too new."""
    try:
        outer = json.loads(line)
        schema = outer["schema"]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{place}: this is no run of evabench. Move the line into another file to go on.") from None
    if schema != SCHEMA:
        raise StoreError(f"{place}: schema {schema} is not known here (known: {SCHEMA}). A newer evabench wrote it.")
    try:
        return decode(Run, json.dumps(outer["run"]))
    except (KeyError, ValidationError) as error:
        raise StoreError(f"{place}: the line is damaged: {error}. Move it into another file to go on.") from None
