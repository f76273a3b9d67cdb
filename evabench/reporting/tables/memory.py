"""What a step costs in memory, as tables."""

from dataclasses import asdict

from evabench.findings.widths import WidthFamily
from evabench.records.device_memory import DeviceMemory
from evabench.records.memory import Memory, PeakBytes
from evabench.reporting.report import WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, bytes_cell
from evabench.units import Bytes, format_bytes


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
    host = any(not _is_of_device(memory) for _, memory in arms)
    return Table(
        title="Where the peak is, and what stands beside it",
        headings=(
            "arm",
            "tensors",
            "reached in",
            "tensors there",
            "workspace",
            "allocator",
            "kept",
            "process (RSS)",
            *(("unexplained",) if host else ()),
        ),
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
                *((bytes_cell(_unexplained(memory)),) if host else ()),
            )
            for arm, memory in arms
        ),
        note=(
            "Allocator: torch's own peak, which may lie elsewhere than that of the tensors, in an operator with much "
            "workspace (what it takes inside itself); the tensors alive there and its workspace together should be the "
            "allocator's peak. Kept: what a warm refresh cycle does not give back. "
            f"{_UNEXPLAINED if host else _APART}"
        ),
        text=frozenset({"reached in"}),
    )


_UNEXPLAINED = (
    "Unexplained: the process at its highest less the allocator's peak: the interpreter, torch, the data set, the "
    "libraries' own memory."
)
_APART = "The process is in the memory of the host, all else in that of the device."


def _is_of_device(memory: Memory) -> bool:
    """Return whether the allocator is that of a device, whose memory the process does not have."""
    return memory.device is not None and memory.device.allocated_bytes is not None


def _unexplained(memory: Memory) -> Bytes | None:
    return None if _is_of_device(memory) else _less(memory.rss_high_water_bytes, memory.allocator_peak_bytes)


def device_table(workload: WorkloadReport) -> Table | None:
    """Return what torch and NVML counted on the device; None where nothing was counted, as on a CPU."""
    arms = [(arm, device) for arm in workload.arms if arm.memory and (device := arm.memory.device)]
    counts = [
        (
            arm.name,
            format_bytes(arm.memory.peak.total),
            bytes_cell(device.data_bytes),
            bytes_cell(device.library_bytes),
            bytes_cell(_less(device.allocated_bytes, _sum(arm.memory, device))),
            bytes_cell(device.allocated_bytes),
            bytes_cell(device.reserved_bytes),
            bytes_cell(device.process_bytes),
            bytes_cell(_less(device.process_bytes, device.reserved_bytes)),
            bytes_cell(device.device_bytes),
            bytes_cell(device.device_bytes_before),
            NOT_MEASURED if device.most_processes is None else str(device.most_processes),
        )
        for arm, device in arms
        if arm.memory
    ]
    if all(cell == NOT_MEASURED for _, _, *cells in counts for cell in cells):
        return None
    return Table(
        title="Memory of the device",
        headings=(
            "arm",
            "tensors",
            "+ data set",
            "+ libraries",
            "+ rest",
            "= allocated",
            "reserved",
            "process",
            "context and more",
            "device",
            "device before",
            "processes",
        ),
        rows=tuple(counts),
        note=(
            "Peaks of one step. Tensors: those of the table above. Data set: where it lies on the device whole. "
            "Libraries: what no tensor held as the step began, workspaces that cuBLAS keeps. "
            "Rest: what operators took inside, and what the allocator rounds up. Allocated and reserved: torch's "
            "allocator. Process and device: NVML, a look every 10 ms, so that what was shorter may be missing. Context "
            "and more: the process less what torch reserved: the context, and libraries that ask the driver "
            "themselves. Processes: the most at once; with several the device is not ours alone."
        ),
    )


def _sum(memory: Memory, device: DeviceMemory) -> Bytes | None:
    """Return what is known of the allocator's peak; None where nobody asked what libraries hold."""
    if device.library_bytes is None:
        return None
    return memory.peak.total + (device.data_bytes or 0) + device.library_bytes


def _less(whole: Bytes | None, part: Bytes | None) -> Bytes | None:
    return None if whole is None or part is None else whole - part


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
