"""What a plan is expected to take, as a table and sentences. Always called an estimate."""

from collections import Counter
from collections.abc import Iterator

from evabench.reporting.table import Table, counted
from evabench.runner.estimate import Estimate, Row
from evabench.units import Seconds, format_bytes

_UNKNOWN = "unknown"


def estimate_table(estimate: Estimate) -> Table:
    """Return a row for each workload and kind of measurement, and the sum."""
    rows = [_row(row) for row in estimate.rows]
    if estimate.num_servers:
        known = estimate.server_seconds
        time = _UNKNOWN if known is None else duration(known)
        rows.append((f"start of {counted(estimate.num_servers, 'launch server')}", "", "", time, "", ""))
    num_runs = sum(len(row.costs) for row in estimate.rows)
    most = max((row.process_bytes for row in estimate.rows if row.process_bytes is not None), default=None)
    rows.append(
        ("in all", "", str(num_runs), _time(estimate.seconds, estimate.num_unknown, num_runs), _bytes(most), "")
    )
    return Table(
        title="Estimate: nothing here was measured by these runs",
        headings=("workload", "measurement", "runs", "time", "memory of a run", "from"),
        text=frozenset({"measurement", "from"}),
        rows=tuple(rows),
        note="Time: one run after the other. Memory: the most that the process of one run takes.",
    )


def estimate_warnings(estimate: Estimate) -> Iterator[str]:
    """Yield what stands in the way: runs that will not fit."""
    if estimate.too_large:
        free = format_bytes(estimate.free_bytes)
        yield f"By this estimate these will not fit into the {free} that are free: {'; '.join(estimate.too_large)}."


def duration(seconds: Seconds) -> str:
    """Return a duration as people say it, in no more detail than an estimate has: "about 4 min"."""
    if seconds < 10:
        return f"about {seconds:.1f} s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"about {seconds / 86400:.1f} days"


def _row(row: Row) -> tuple[str, ...]:
    origins = Counter(cost.origin for cost in row.costs)
    words = (
        next(iter(origins)) if len(origins) == 1 else ", ".join(f"{name} {count}" for name, count in origins.items())
    )
    time = _time(row.seconds, row.num_unknown, len(row.costs))
    kind = row.measurement.replace("_", " ")
    return (row.workload, kind, str(len(row.costs)), time, _bytes(row.process_bytes), words)


def _time(seconds: Seconds, num_unknown: int, num_runs: int) -> str:
    if num_unknown == num_runs:
        return _UNKNOWN
    return duration(seconds) + (f" and {num_unknown} unknown" if num_unknown else "")


def _bytes(value: int | None) -> str:
    return _UNKNOWN if value is None else format_bytes(value)
