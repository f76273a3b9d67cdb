"""`evabench profile`: which operators a step of one arm spends its time in, and why another arm's step is cheaper."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.cli.device import DeviceOption
from evabench.cli.stored import print_plainly
from evabench.cli.tier import TierOption
from evabench.errors import OutputError, cannot_write
from evabench.records.measurement import ProfileSettings
from evabench.reporting.tables.profile import (
    operators_difference_table,
    operators_table,
    overhead_sentence,
    phases_difference_table,
)
from evabench.reporting.tables.table import Table
from evabench.reporting.terminal import rich_table
from evabench.runner.devices import find_devices
from evabench.runner.profiling import profile_cells
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite

_OTHER_FOLDER = "choose another folder: --output DIR"


def profile_arm(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    workload: Annotated[str, typer.Argument(help="A workload of the suite.")],
    arm: Annotated[str, typer.Argument(help="An arm of the suite.")],
    against: Annotated[str | None, typer.Option(metavar="ARM", help="Say why ARM is faster, or slower.")] = None,
    tier: TierOption = None,
    device: DeviceOption = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps at least; whole refresh cycles.")] = 10,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Operators of each phase in the table.")] = 5,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Traces go to DIR/<suite>/.")] = Path("reports"),
) -> None:
    """Show the most expensive operators of a step by phase, and write a trace for Perfetto (ui.perfetto.dev)."""
    console = Console(highlight=False)
    loaded = load_suite(suite, tier)
    devices = find_devices(device or loaded.device)
    loaded = replace(loaded, device=devices.kind)
    arms = [arm] if against is None or against == arm else [arm, against]
    folder = (output / loaded.name).absolute()
    cells = [
        loaded.one_cell(workload, name, ProfileSettings(trace=str(_trace(folder, workload, name)), min_steps=steps))
        for name in arms
    ]
    _make(folder)
    profiles = profile_cells(cells, timeout_seconds=loaded.timeout_seconds, device_index=devices.indices[0])
    print_plainly(console, devices.words)
    console.print(_title(loaded, workload), style="bold", markup=False)
    for name, found in zip(arms, profiles, strict=True):
        console.print(overhead_sentence(name, found), markup=False)
    for name, found in zip(arms, profiles, strict=True):
        _print(console, operators_table(name, found, top))
    if len(arms) > 1:
        _print(console, phases_difference_table(arms[0], profiles[0], arms[1], profiles[1]))
        _print(console, operators_difference_table(arms[0], profiles[0], arms[1], profiles[1], 3 * top))
    for found in profiles:
        if found.unwritten is None:
            console.print(found.trace, markup=False, soft_wrap=True)
    lacking = {found.trace: found.unwritten for found in profiles if found.unwritten}
    if lacking:
        raise OutputError("\n".join(str(cannot_write(path, why, _OTHER_FOLDER)) for path, why in lacking.items()))


def _title(suite: Suite, workload: str) -> str:
    return f"{workload}: {suite.workloads[workload].title} {suite.workloads[workload].shape}"


def _trace(folder: Path, workload: str, arm: str) -> Path:
    whole = f"trace-{workload}-{arm}"
    name = re.sub(r"[^A-Za-z0-9.@_-]+", "_", whole)
    if name != whole:  # "SGD (slow)" and "SGD [slow]" are two
        name += f"-{hashlib.sha256(whole.encode()).hexdigest()[:6]}"
    return folder / f"{name}.json.gz"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error, _OTHER_FOLDER) from None


def _print(console: Console, table: Table) -> None:
    console.print(f"\n{table.title}", style="bold", markup=False)
    console.print(rich_table(table))
    console.print(table.note, style="dim", markup=False)
