"""What a plan is expected to take, as a table and sentences. Always called an estimate."""

from collections.abc import Iterator
from math import ceil

from evabench.reporting.tables.table import Table, counted
from evabench.runner.estimate import Estimate, Row
from evabench.units import Seconds, format_bytes

_UNKNOWN = "unknown"


def estimate_table(estimate: Estimate) -> Table:
    """Return a line for each workload, below it a row for each kind of measurement, and the sum."""
    rows: list[tuple[str, ...]] = []
    for workload in dict.fromkeys(row.workload for row in estimate.rows):
        rows += [(workload, "", "", "", ""), *(_row(row) for row in estimate.rows if row.workload == workload)]
    if estimate.num_servers:
        known = estimate.server_seconds
        time = _UNKNOWN if known is None else duration(known)
        rows.append((f"start of {counted(estimate.num_servers, 'launch server')}", "", time, "", ""))
    num_runs = sum(len(row.costs) for row in estimate.rows)
    most = max((row.process_bytes for row in estimate.rows if row.process_bytes is not None), default=None)
    time = _time(estimate.seconds, estimate.num_unknown, num_runs)
    rows.append(("in all", _runs(estimate.num_unknown, num_runs), time, _bytes(most), ""))
    return Table(
        title="Estimate: nothing here was measured by these runs",
        headings=("workload", "runs", "time", "memory", "from"),
        text=frozenset({"from"}),
        rows=tuple(rows),
        note="Time: one run after the other. Memory: the most that the process of one run takes."
        + (' Runs, "4 of 20": of 4 something is known; the others are in no sum.' if estimate.num_unknown else ""),
    )


def estimate_warnings(estimate: Estimate) -> Iterator[str]:
    """Yield what stands in the way: runs that will not fit, and runs of which nothing is known, with the way out."""
    if estimate.too_large:
        free = format_bytes(estimate.free_bytes)
        yield f"By this estimate these will not fit into the {free} that are free: {'; '.join(estimate.too_large)}."
    for failure in dict.fromkeys(estimate.failures.values()):
        named = [title for title, why in estimate.failures.items() if why == failure]
        yield f"Nobody can say how long these take: {'; '.join(named)}. Their probe: {failure.rstrip('.')}."
    if estimate.num_unprobed:
        enough = estimate.seconds_to_probe_all
        yield (
            f"The time for probes was over before {counted(estimate.num_unprobed, 'combination')} of a workload and an "
            "arm: their runs are unknown. More of it: --probe-seconds "
            + ("S." if enough is None else f"{10 * ceil(enough / 10)} (a guess from those that were probed).")
        )


def duration(seconds: Seconds) -> str:
    """Return a duration as people say it, in no more detail than an estimate has: "about 4 min"."""
    if seconds < 10:
        return f"about {seconds:.1f} s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"about {seconds / 86400:.1f} days"


def cost_words(seconds: Seconds, num_unknown: int, num_runs: int) -> str:
    """Return what is left of a suite in a few words: "about 3.0 h", or what of it is unknown."""
    if num_runs == 0:
        return "all stored"
    if num_unknown == num_runs:
        return f"unknown, {counted(num_runs, 'run')}"
    if num_unknown:
        return f"{duration(seconds)} for {num_runs - num_unknown} of {counted(num_runs, 'run')}, the others unknown"
    return duration(seconds)


def _row(row: Row) -> tuple[str, ...]:
    origins = dict.fromkeys(cost.origin for cost in row.costs if cost.origin != _UNKNOWN)
    num_runs = len(row.costs)
    return (
        f"  {row.measurement.replace('_', ' ')}",
        _runs(row.num_unknown, num_runs),
        _time(row.seconds, row.num_unknown, num_runs),
        _bytes(row.process_bytes),
        ", ".join(origins),
    )


def _runs(num_unknown: int, num_runs: int) -> str:
    """Return "20", or "4 of 20" where the others are unknown."""
    return f"{num_runs - num_unknown} of {num_runs}" if 0 < num_unknown < num_runs else str(num_runs)


def _time(seconds: Seconds, num_unknown: int, num_runs: int) -> str:
    return _UNKNOWN if num_unknown == num_runs else duration(seconds)


def _bytes(value: int | None) -> str:
    return _UNKNOWN if value is None else format_bytes(value)
