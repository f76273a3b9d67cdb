"""A chart as JSON for the script of a page: five significant digits, which no eye tells from all of them."""

import json
import math
from dataclasses import asdict
from typing import Any

from evabench.errors import printable
from evabench.reporting.charts.chart import Chart

_DIGITS = 5


def encoded(chart: Chart) -> str:
    """Return JSON that can stand in a `script` element, whatever the names in it are."""
    text = json.dumps(_plain(asdict(chart)), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case str():
            return printable(value)  # as in the tables, whose rows go with the lines of a chart
        case float() if not math.isfinite(value):
            return None
        case float() if value == int(value):
            return int(value)
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case dict():
            return {printable(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value
