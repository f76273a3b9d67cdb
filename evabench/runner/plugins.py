"""Plug-ins that cannot be made: found before the first run, all of them at once."""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import replace

from evabench.errors import SuiteError
from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.request import Request
from evabench.runner.plan import Plan
from evabench.runner.session import Session, perform
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.units import Seconds

_LONGEST_SECONDS = 20.0  # of one child: what takes longer is left to its run
_MAX_WORKLOADS = 2  # that a plug-in must fail on: one net may lack what it needs


def check_plugins(
    plan: Plan, *, timeout_seconds: Seconds, launch: Launch = LaunchServer, device_index: int = 0
) -> None:
    """Raise `SuiteError` with every plug-in of the runs that are left which cannot be made: path, name or options.

    A plug-in with a stored run is known to be fine, and the adapters that ship may lack their packages: their arms
    fail then, and the others run. Nothing is started where no plug-in is left.
    """
    asked = tuple(_asked(plan))
    if not asked:
        return

    def reason(server: Launcher, cells: tuple[Cell, ...]) -> str | None:
        """Return why the plug-in of these cells cannot be made; None where it can be on one of them."""
        told = None
        for cell in cells:
            told = _why_not(server, cell, min(timeout_seconds, _LONGEST_SECONDS), device_index)
            if told is None:
                return None
        return told

    reasons = perform(Session(layout="plug-ins", runs=asked), launch, reason)
    mistakes = [f"{_place(cells[0])}: {why}" for cells, why in zip(asked, reasons, strict=True) if why]
    if mistakes:
        raise SuiteError("\n".join(f"before the first run: {mistake}" for mistake in mistakes))


def _asked(plan: Plan) -> Iterator[tuple[Cell, ...]]:
    """Yield, for each plug-in of the plan, cells that have it, of different workloads."""
    known = {key for run in plan.stored if run.outcome.completed for key in _keys(run.cell)}
    cells: defaultdict[Hashable, dict[str, Cell]] = defaultdict(dict)
    for run in plan.left:
        for key in _keys(run.cell):
            cells[key].setdefault(run.cell.workload_name, run.cell)
    for key, found in cells.items():
        if key not in known:
            yield tuple(found.values())[:_MAX_WORKLOADS]


def _keys(cell: Cell) -> Iterator[Hashable]:
    """Yield what tells the plug-ins of a cell from others: the values of their options are not looked at."""
    for settings in (cell.optimizer, cell.workload):
        if isinstance(settings, PluginSettings | PluginWorkloadSettings) and not settings.name.startswith("evabench."):
            yield settings.name, tuple(sorted(settings.options))


def _why_not(server: Launcher, cell: Cell, timeout_seconds: Seconds, device_index: int) -> str | None:
    request = Request(
        cell=replace(cell, measurement=ProbeSettings(build_only=True)),
        seed=0,
        warmup_steps=0,
        timeout_seconds=timeout_seconds,
        device_index=device_index,
    )
    outcome = server.perform(request).outcome
    return outcome.reason if outcome.kind == "crashed" else None


def _place(cell: Cell) -> str:
    own = isinstance(cell.workload, PluginWorkloadSettings)
    return f"[arms.{cell.arm}]" + (f" on [workloads.{cell.workload_name}]" if own else "")
