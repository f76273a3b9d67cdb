"""`evabench run --dry-run`: what would be run, and what it is expected to take."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import Progress

from evabench.cli.stored import print_plainly
from evabench.errors import StoreError
from evabench.machine.state import read_machine_state
from evabench.records.cell import Cell
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.reporting.tables.batches import batches_table
from evabench.reporting.tables.estimate import estimate_table, estimate_warnings
from evabench.reporting.terminal import rich_table
from evabench.runner.batches import project_batches
from evabench.runner.devices import CPU, Devices
from evabench.runner.estimate import History, estimate
from evabench.runner.plan import Plan
from evabench.runner.probing import REAL_STEPS, Probing, probe_cells
from evabench.store.files import RunStore
from evabench.units import Seconds


def show_plan(
    console: Console, plan: Plan, host: Host, results: Path, probe_seconds: Seconds, devices: Devices
) -> None:
    """List the runs that are left, by workload and arm, and estimate their time and memory; only probes are started."""
    started = monotonic()
    for line in _listed(plan):
        print_plainly(console, line)
    if not plan.left:
        return
    history = History(tuple(_stored_on(results, host)))
    state = read_machine_state()
    free_bytes = min(state.free_memory_bytes, state.limits.memory_bytes or host.memory_bytes)
    probing = _probe(
        console, [run.cell for run in plan.left if not history.speaks_for(run.cell)], probe_seconds, free_bytes, devices
    )
    found = estimate(plan, history, probing, free_bytes)
    table = estimate_table(found)
    console.print(f"\n[bold]{table.title}[/bold]")
    console.print(rich_table(table))
    print_plainly(console, table.note)
    for warning in estimate_warnings(found):
        print_plainly(console, warning)
    if devices.kind != CPU:
        _show_batches(console, [run.cell for run in plan.left], started + probe_seconds - monotonic(), devices)


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


def _show_batches(console: Console, cells: list[Cell], max_seconds: Seconds, devices: Devices) -> None:
    """Print the largest batch of each workload and arm; of the time for probes, what is left counts."""
    found = project_batches(cells, max_seconds=max(0.0, max_seconds), device_index=devices.indices[0])
    if not found:
        print_plainly(console, "No time was left to project the largest batches. More of it: --probe-seconds S.")
        return
    table = batches_table(found, f"{devices.kind}:{devices.indices[0]}")
    console.print(f"\n[bold]{table.title}[/bold]")
    console.print(rich_table(table))
    print_plainly(console, table.note)


def _stored_on(results: Path, host: Host) -> Iterator[Run]:
    """Yield the stored runs of all suites on this host; a file that cannot be read is no reason to estimate nothing."""
    for path in sorted(results.glob(f"*/{host.id}/runs.jsonl")):
        try:
            yield from RunStore(path).load()
        except StoreError:
            continue
