"""What a step costs in memory, as tables."""

from dataclasses import asdict

from evabench.claims.curvature import WidthFamily
from evabench.records.memory import PeakBytes
from evabench.reporting.report import WorkloadReport
from evabench.reporting.table import NOT_MEASURED, Table, bytes_cell
from evabench.units import format_bytes


def memory_table(workload: WorkloadReport) -> Table | None:
    """Return the peak by what it was; None where memory was not measured."""
    arms = [(arm, arm.memory) for arm in workload.arms if arm.memory]
    if not arms:
        return None
    return Table(
        title="Memory at the peak of a step, by what it is",
        headings=("arm", *(words for words, _ in peak_parts(arms[0][1].peak)), "sum"),
        rows=tuple(
            (arm.name, *(format_bytes(part) for _, part in peak_parts(memory.peak)), format_bytes(memory.peak.total))
            for arm, memory in arms
        ),
        note="Bytes of live tensors, counted exactly. Statistics: what the optimizer keeps beyond the momentum.",
    )


def allocation_table(workload: WorkloadReport) -> Table | None:
    """Return the peak beside what the allocator and the process had; None where memory was not measured."""
    arms = [(arm, arm.memory) for arm in workload.arms if arm.memory]
    if not arms:
        return None
    return Table(
        title="Where the peak is, and what stands beside it",
        headings=("arm", "tensors", "reached in", "tensors there", "workspace", "allocator", "kept", "process (RSS)"),
        rows=tuple(
            (
                arm.name,
                format_bytes(memory.peak.total),
                memory.peak_phase + (f", layer {memory.peak_layer}" if memory.peak_layer else ""),
                bytes_cell(memory.tensors_there_bytes),
                bytes_cell(memory.workspace_bytes),
                bytes_cell(memory.allocator_peak_bytes),
                bytes_cell(memory.kept_bytes),
                bytes_cell(memory.rss_high_water_bytes),
            )
            for arm, memory in arms
        ),
        note=(
            "Allocator: torch's own peak, which may lie elsewhere than that of the tensors, in an operator with much "
            "workspace (what it takes inside itself); the tensors alive there and its workspace together should be the "
            "allocator's peak. Kept: what a warm refresh cycle does not give back. The process holds the interpreter, "
            "torch and the libraries' own memory besides."
        ),
        text=frozenset({"reached in"}),
    )


def peak_parts(peak: PeakBytes) -> tuple[tuple[str, int], ...]:
    """Return the categories of a peak, in words, in the order of every table and picture."""
    return tuple((name.replace("_", " "), size) for name, size in asdict(peak).items())


def growth_table(family: WidthFamily) -> Table:
    """Return the curvature state of one net at several widths."""
    widths = sorted({width for arm in family.arms for width in arm.curvature_bytes})
    rows = []
    for arm in family.arms:
        sizes, polynomial = arm.curvature_bytes, arm.polynomial
        term = polynomial.has_quadratic_term if polynomial else None
        rows.append(
            (
                arm.arm,
                *(format_bytes(sizes[width]) if width in sizes else NOT_MEASURED for width in widths),
                NOT_MEASURED if term is None else "yes" if term else "no",
            )
        )
    return Table(
        title=f"Curvature state against the width d: {family.name}",
        headings=("arm", *(f"d = {width}" for width in widths), "grows with d^2"),
        rows=tuple(rows),
        note="d is the first hidden width; the others are in proportion. The last column is exact, not a fit.",
    )
