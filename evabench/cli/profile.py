"""`evabench profile`: which operators a step of one arm spends its time in, and why another arm's step is cheaper."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.cli.answers import OperatorAnswer, ProfileAnswer, ProfiledArm
from evabench.cli.device import DeviceOption
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.tier import TierOption
from evabench.errors import OutputError, cannot_write
from evabench.export.file_names import file_name
from evabench.records.measurement import ProfileSettings
from evabench.records.profile import Profile
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
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show the most expensive operators of a step by phase, and write a trace for Perfetto (ui.perfetto.dev)."""
    told = Output(as_json=as_json, quiet=quiet)
    console = told.answer
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
    told.note(devices.words)
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
    told.give("profile", ProfileAnswer(workload=workload, arms=tuple(map(_profiled, arms, profiles))))
    lacking = {found.trace: found.unwritten for found in profiles if found.unwritten}
    if lacking:
        raise OutputError("\n".join(str(cannot_write(path, why, _OTHER_FOLDER)) for path, why in lacking.items()))


def _profiled(arm: str, found: Profile) -> ProfiledArm:
    operators = [
        OperatorAnswer(
            phase=one.phase,
            name=one.name,
            seconds_per_step=found.seconds_per_step(one),
            calls_per_step=found.calls_per_step(one),
        )
        for one in found.operators
    ]
    return ProfiledArm(
        arm=arm,
        trace=None if found.unwritten else found.trace,
        num_steps=found.num_steps,
        profiled_over_plain=found.profiled_over_plain,
        operators=tuple(sorted(operators, key=lambda one: -one.seconds_per_step)),
    )


def _title(suite: Suite, workload: str) -> str:
    return f"{workload}: {suite.workloads[workload].title} {suite.workloads[workload].shape}"


def _trace(folder: Path, workload: str, arm: str) -> Path:
    return folder / f"trace-{file_name(f'{workload}-{arm}')}.json.gz"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error, _OTHER_FOLDER) from None


def _print(console: Console, table: Table) -> None:
    console.print(f"\n{table.title}", style="bold", markup=False)
    console.print(rich_table(table))
    console.print(table.note, style="dim", markup=False)
