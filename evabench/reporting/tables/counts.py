"""What a step does, counted, as a table."""

from evabench.records.counts import Counts, StepCounts
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import Table
from evabench.units import format_bytes, format_digits

_LARGE = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def counts_table(workload: WorkloadReport) -> Table | None:
    """Return what the plain step and the refreshing step of each arm do; None where nothing was counted."""
    arms = [(arm.name, counts) for arm in workload.arms for counts in arm.records_of(Counts)[:1]]
    if not arms:
        return None
    unknown = sorted({name for _, counts in arms for name in counts.without_formula})
    return Table(
        title="What a step does, counted",
        headings=("arm", "launches", "optimizer's", "flops", "moved", "allocations", "host reads"),
        rows=tuple(_row(name, counts) for name, counts in arms),
        note=(
            "Of one step; where a cycle has several, of a plain one / of the one that refreshes. Launches: the "
            "operators that compute or copy, on a GPU its kernels as they were traced. The optimizer's: the operators "
            "of its hooks and of its step. Moved: bytes read and written. A host read makes the host wait for a GPU."
            + (f" Without a formula, 1 flop per value: {', '.join(unknown)}." if unknown else "")
        ),
    )


def _row(name: str, counts: Counts) -> tuple[str, ...]:
    steps = (counts.plain,) if counts.refresh is None else (counts.plain, counts.refresh)
    columns = [
        (
            str(step.launches),
            str(_in_optimizer(step)),
            format_count(step.flops),
            format_bytes(step.moved_bytes),
            str(step.allocations),
            str(step.host_reads),
        )
        for step in steps
    ]
    return name, *(" / ".join(dict.fromkeys(cells)) for cells in zip(*columns, strict=True))


def _in_optimizer(step: StepCounts) -> int:
    return step.only(set(step.parts) - {"forward", "backward", "zero_grad"}).num_operators


def format_count(number: float) -> str:
    """Return a count with three digits before a letter: `format_count(1234567)` is "1.23 M"."""
    for size, letter in _LARGE:
        if number >= size:
            return f"{format_digits(number / size)} {letter}"
    return f"{number:g}"
