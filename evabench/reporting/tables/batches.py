"""The largest batches that fit a device, as a table. Always called a projection."""

from collections.abc import Sequence

from evabench.reporting.tables.table import Table, bytes_cell
from evabench.runner.batches import LargestBatch

_UNKNOWN = "unknown"


def batches_table(found: Sequence[LargestBatch], device: str) -> Table:
    """Return a row for each workload and arm."""
    return Table(
        title=f"Projection: the largest batch that fits {device}",
        headings=("workload, arm", "batch", "largest", "free memory", "why not"),
        text=frozenset({"why not"}),
        rows=tuple(_row(one) for one in found),
        note="No batch of that size was made. A step's tensors in single precision, counted on fake ones, may have "
        "95 % of the free memory; what a data set takes that lies on the device whole is not free."
        + (" (SGD): SGD stands in for an optimizer that does not run on fake tensors." if _stands_in(found) else ""),
    )


def _row(one: LargestBatch) -> tuple[str, ...]:
    projection, cell = one.projection, one.cell
    title = f"{cell.workload_name}, {cell.arm}"
    if projection is None:
        return title, str(cell.workload.batch), _UNKNOWN, bytes_cell(None), one.why_not or ""
    largest = "any" if projection.largest is None else f"{projection.largest:,}"
    marked = f"{largest} (SGD)" if projection.plain_optimizer else largest
    return title, str(cell.workload.batch), marked, bytes_cell(projection.free_bytes), ""


def _stands_in(found: Sequence[LargestBatch]) -> bool:
    return any(one.projection is not None and one.projection.plain_optimizer for one in found)
