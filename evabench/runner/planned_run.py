"""One run to make, and its key."""

from dataclasses import dataclass

from evabench.machine.code import read_code
from evabench.machine.environment import read_environment
from evabench.records.cell import Cell
from evabench.records.code import Code
from evabench.records.environment import Environment
from evabench.records.host import Host
from evabench.records.run import run_key


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run to make; `sweep` and `position` are None where nothing is timed."""

    key: str
    cell: Cell
    seed: int
    environment: Environment
    code: Code
    sweep: int | None = None
    position: int | None = None
    repeats: str | None = None  # the key of the visit of which this is the second try


def plan_run(cell: Cell, seed: int, host: Host, sweep: int | None = None, position: int | None = None) -> PlannedRun:
    """Return the run of this cell and seed on this host with the present code."""
    environment, code = read_environment(cell), read_code(cell)
    key = run_key(cell, seed, sweep, host=host, environment=environment, code=code)
    return PlannedRun(key=key, cell=cell, seed=seed, environment=environment, code=code, sweep=sweep, position=position)
