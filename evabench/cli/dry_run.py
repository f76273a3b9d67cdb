"""`evabench run --dry-run`: what would be run, and what it is expected to take."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import Progress

from evabench.cli.output import Output
from evabench.machine.state import read_machine_state
from evabench.records.cell import Cell
from evabench.records.host import Host
from evabench.reporting.tables.batches import batches_table
from evabench.reporting.tables.estimate import estimate_table, estimate_warnings
from evabench.reporting.terminal import rich_table
from evabench.runner.batches import project_batches
from evabench.runner.cost import stored_on
from evabench.runner.devices import CPU, Devices
from evabench.runner.estimate import Estimate, History, estimate
from evabench.runner.plan import Plan
from evabench.runner.probing import REAL_STEPS, Probing, probe_cells
from evabench.units import Seconds


def show_plan(
    output: Output, plan: Plan, host: Host, results: Path, probe_seconds: Seconds, devices: Devices
) -> Estimate | None:
    """List the runs that are left, by workload and arm, and estimate their time and memory; only probes are started.

    Returns the estimate; None where nothing is left.
    """
    started = monotonic()
    for line in _listed(plan):
        output.tell(line)
    if not plan.left:
        return None
    history = History(tuple(stored_on(results, host)))
    state = read_machine_state()
    free_bytes = min(state.free_memory_bytes, state.limits.memory_bytes or host.memory_bytes)
    probing = _probe(
        output.notes,
        [run.cell for run in plan.left if not history.speaks_for(run.cell)],
        probe_seconds,
        free_bytes,
        devices,
    )
    found = estimate(plan, history, probing, free_bytes)
    table = estimate_table(found)
    output.answer.print(f"\n[bold]{table.title}[/bold]")
    output.answer.print(rich_table(table))
    output.tell(table.note)
    for warning in estimate_warnings(found):
        output.tell(warning)
    if devices.kind != CPU:
        _show_batches(output, [run.cell for run in plan.left], started + probe_seconds - monotonic(), devices)
    return found


def _listed(plan: Plan) -> Iterator[str]:
    """Yield a line for each workload and arm: how many runs of each kind are left."""
    cells: dict[str, Counter[str]] = {}
    waiting = {run.key for run in plan.waiting}
    for run in plan.left:
        kind = run.cell.measurement.measurement.replace("_", " ")
        kind += (
            " to set the target" if run.cell.sets_target else " when its target is set" if run.key in waiting else ""
        )
        cells.setdefault(f"{run.cell.workload_name}, {run.cell.arm}", Counter())[kind] += 1
    for cell, kinds in cells.items():
        yield f"  {cell}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}"


def _probe(console: Console, cells: list[Cell], max_seconds: Seconds, free_bytes: int, devices: Devices) -> Probing:
    pairs = {(repr(cell.workload), repr(cell.optimizer)) for cell in cells}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"probing {len(pairs)} cells: bytes, and {REAL_STEPS} steps each", total=len(pairs))
        return probe_cells(
            cells,
            max_seconds=max_seconds,
            free_bytes=free_bytes,
            done=lambda: progress.advance(task),
            device_index=devices.indices[0],
        )


def _show_batches(output: Output, cells: list[Cell], max_seconds: Seconds, devices: Devices) -> None:
    """Print the largest batch of each workload and arm; of the time for probes, what is left counts."""
    found = project_batches(cells, max_seconds=max(0.0, max_seconds), device_index=devices.indices[0])
    if not found:
        output.tell("No time was left to project the largest batches. More of it: --probe-seconds S.")
        return
    table = batches_table(found, f"{devices.kind}:{devices.indices[0]}")
    output.answer.print(f"\n[bold]{table.title}[/bold]")
    output.answer.print(rich_table(table))
    output.tell(table.note)
