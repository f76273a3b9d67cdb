"""What a suite still has to run on this host with this code."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from evabench.records.cell import Cell
from evabench.records.host import Code, Host
from evabench.records.run import Run, run_key
from evabench.runner.host import read_code
from evabench.settings.measurement import WarmUpSettings
from evabench.stats.disturbances import disturbances
from evabench.suite import Suite

PILOT = 0  # the sweep that fixes the warm-up


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run to make; `sweep` and `position` are None where nothing is timed."""

    key: str
    cell: Cell
    seed: int
    code: Code
    sweep: int | None = None
    position: int | None = None
    repeats: str | None = None  # the key of the visit of which this is the second try


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a suite asks for, and what of it is stored already."""

    untimed: tuple[PlannedRun, ...]  # in no sweep: all but the step times
    sweeps: tuple[tuple[PlannedRun, ...], ...]  # of all timing series; the pilot of each comes first
    repeatable: tuple[tuple[PlannedRun, ...], ...]  # second tries at sweeps, of which only some will be due
    stored: tuple[Run, ...]  # runs of this suite with this host and this code
    older_code: int  # stored runs of the same cells with other code, which are not used

    @property
    def left(self) -> tuple[PlannedRun, ...]:
        """Return the runs that are left, as far as the stored ones tell: a sweep may yet be disturbed."""
        again = {run.key for sweep in self.sweeps for run in sweep}
        repeats = self.due_repeats([run for run in self.stored if run.key not in again])
        return (*self.untimed, *(run for sweep in (*self.sweeps, *repeats) for run in sweep))

    @property
    def num_runs(self) -> int:
        """Return how many runs are left."""
        return len(self.left)

    def due_repeats(self, runs: Iterable[Run]) -> tuple[tuple[PlannedRun, ...], ...]:
        """Return the second tries at the sweeps of which a visit among `runs` was disturbed."""
        disturbed = {run.key for run in runs if run.visit and disturbances(run.conditions)}
        return tuple(sweep for sweep in self.repeatable if any(run.repeats in disturbed for run in sweep))


def make_plan(
    suite: Suite,
    stored: Sequence[Run],
    host: Host,
    *,
    seeds: int | None = None,
    retry_failed: bool = False,
    fresh: bool = False,
    repeat: bool = True,
) -> Plan:
    """Return what is left to run. A sweep that lacks one visit is run again whole: its layout was drawn for all.

    `repeat` allows a second try, once, at a timing sweep that something disturbed.
    """
    untimed = [_planned(cell, 0, host) for cell in (*suite.memory_cells(), *suite.phases_cells())]
    for table, cells in (
        (suite.convergence, suite.convergence_cells()),
        (suite.mechanism, suite.mechanism_cells()),
        (suite.rate, suite.rate_cells()),
    ):
        if table:
            count = seeds or table.seeds
            untimed += [_planned(cell, table.first_seed + k, host) for k in range(count) for cell in cells]
    sweeps = _sweeps(suite, host) if suite.step_time else []
    repeats = [[_second_try(run, host) for run in sweep] for sweep in sweeps if sweep[0].sweep != PILOT]
    wanted = {run.key for run in (*untimed, *(run for sweep in (*sweeps, *repeats) for run in sweep))}
    used = [run for run in stored if run.key in wanted]
    done = set() if fresh else {run.key for run in used if run.outcome.kind in _settled(retry_failed)}
    return Plan(
        untimed=tuple(run for run in untimed if run.key not in done),
        sweeps=_unfinished(sweeps, done),
        repeatable=_unfinished(repeats, done) if repeat else (),
        stored=tuple(used),
        older_code=_count_older(untimed, sweeps, stored, wanted),
    )


def _settled(retry_failed: bool) -> tuple[str, ...]:
    # A divergence is a finding about the optimizer, never a failure to be tried again.
    every = ("completed", "diverged", "timeout", "out_of_memory", "crashed", "killed")
    return every[:2] if retry_failed else every


def _planned(cell: Cell, seed: int, host: Host, sweep: int | None = None, position: int | None = None) -> PlannedRun:
    code = read_code(cell.optimizer)
    key = run_key(cell, seed, sweep, host, code)
    return PlannedRun(key=key, cell=cell, seed=seed, code=code, sweep=sweep, position=position)


def _sweeps(suite: Suite, host: Host) -> list[list[PlannedRun]]:
    """Alternate in direction, the arms' order drawn by the suite's seed: with two arms that is ABBA."""
    assert suite.step_time
    sweeps = []
    for name in suite.workloads:
        cells = [cell for cell in suite.timing_cells() if cell.workload_name == name]
        random.Random(f"{suite.seed} {name}").shuffle(cells)
        for sweep in range(suite.step_time.sweeps + 1):
            ordered = cells if sweep % 2 == 0 else cells[::-1]
            if sweep == PILOT:
                ordered = [replace(cell, measurement=WarmUpSettings()) for cell in ordered]
            # The seed of a sweep is its number: weights and batches are drawn anew, and are equal for its arms.
            sweeps.append([_planned(cell, sweep, host, sweep, place) for place, cell in enumerate(ordered)])
    return sweeps


def _second_try(first: PlannedRun, host: Host) -> PlannedRun:
    key = run_key(first.cell, first.seed, first.sweep, host, first.code, repeated=True)
    return replace(first, key=key, repeats=first.key)


def _unfinished(sweeps: Sequence[Sequence[PlannedRun]], done: set[str]) -> tuple[tuple[PlannedRun, ...], ...]:
    return tuple(tuple(sweep) for sweep in sweeps if not all(run.key in done for run in sweep))


def _count_older(
    untimed: Sequence[PlannedRun], sweeps: Sequence[Sequence[PlannedRun]], stored: Sequence[Run], wanted: set[str]
) -> int:
    planned = [*untimed, *(run for sweep in sweeps for run in sweep)]
    return sum(
        run.key not in wanted
        and any(run.cell == plan.cell and run.seed == plan.seed and run.code != plan.code for plan in planned)
        for run in stored
    )
