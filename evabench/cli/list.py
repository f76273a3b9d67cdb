"""`evabench list`: the suites that ship with evabench."""

from rich.console import Console
from rich.table import Table

from evabench.suite.shipped import list_shipped

_MAX_ARMS = 6  # that are named


def list_suites() -> None:
    """List the suites that ship with evabench; `evabench run NAME` runs one."""
    table = Table(box=None, pad_edge=False)
    for heading in ("suite", "what it is", "tiers", "arms"):
        table.add_column(heading, overflow="fold")
    for suite in list_shipped():
        table.add_row(suite.name, suite.title, ", ".join(suite.tiers), _some(suite.arms))
    Console().print(table)


def _some(arms: tuple[str, ...]) -> str:
    shown = arms[:_MAX_ARMS]
    return "; ".join(shown) + (f" and {len(arms) - _MAX_ARMS} more" if len(arms) > _MAX_ARMS else "")
