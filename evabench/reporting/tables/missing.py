"""What runs were asked for and did not measure, with the reasons that they give, as a table."""

from collections.abc import Iterator

from evabench.records.convergence import Convergence
from evabench.records.energy import Energy
from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table

_BEFORE = "The run is from before it was read."


def missing_table(report: Report) -> Table | None:
    """Return each reason once, with what it is for and the number of runs; None where nothing is missing."""
    found: dict[str, dict[str, int]] = {}
    for run in report.runs:
        for what, reason in _missing(run):
            counts = found.setdefault(reason, {})
            counts[what] = counts.get(what, 0) + 1
    if not found:
        return None
    return Table(
        title="Not measured, and why",
        headings=("what", "runs", "why"),
        text=frozenset({"why"}),
        rows=tuple(
            (", ".join(counts), ", ".join(str(count) for count in counts.values()), reason)
            for reason, counts in found.items()
        ),
        note="What is missing is a dash elsewhere, or has no table; it is never 0.",
    )


def _missing(run: Run) -> Iterator[tuple[str, str]]:
    match run.measured:
        case StepTime() as visit:
            yield from (("energy of a step", reason) for reason in _without_energy(visit.energy))
            if visit.side_work is None:
                yield "work beside the step", _why_no_side_work(visit, run.cell.threads)
        case Convergence(input_wait_seconds=None):
            yield "wait for batches and first step of training", _BEFORE
        case Convergence(first_step_seconds=None):
            yield "first step of training", _BEFORE
        case Memory(device=device):
            reasons = (_BEFORE,) if device is None else device.missing
            yield from (("memory of the device", reason) for reason in reasons)


def _without_energy(energy: Energy | None) -> tuple[str, ...]:
    return (_BEFORE,) if energy is None else energy.missing


def _why_no_side_work(visit: StepTime, threads: int) -> str:
    if threads > 1:
        return f"torch computes in {threads} threads here, which cannot be told from those of an optimizer."
    if visit.host_seconds is not None:
        return "On a GPU autograd has a thread of its own, which cannot be told from those of an optimizer."
    return _BEFORE
