"""What a suite still has to run on this host with this code."""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from evabench.errors import SuiteError
from evabench.findings.interruptions import KnownVisits
from evabench.findings.targets import TargetFindings, num_targets_tried
from evabench.records.cell import Cell
from evabench.records.host import Host
from evabench.records.measurement import WarmUpSettings
from evabench.records.run import Run, run_key
from evabench.runner.planned_run import PlannedRun, plan_run
from evabench.runner.session import Session
from evabench.runner.targets import find_targets, plan_target_runs, runs_of_other_targets, with_target
from evabench.suite.suite import Suite

PILOT = 0  # the sweep that fixes the warm-up


Sessions = tuple[Session[PlannedRun], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a suite asks for, and what of it is stored already."""

    sessions: Sessions  # in the order in which they are made; the pilot of each timing series comes first
    repeatable: Sessions  # second tries at sweeps, of which only some will be due
    stored: tuple[Run, ...]  # runs of this suite with this host, this code and these targets
    older_code: int  # stored runs of the same cells with other code, which are not used
    setting: Sessions = ()  # they set targets and come first; what is judged is planned anew behind them
    waiting: tuple[PlannedRun, ...] = ()  # judged runs whose target is not set: never made as they stand here
    targets: TargetFindings = field(default_factory=TargetFindings)
    trials: tuple[Run, ...] = ()  # stored runs of the suite's tuning; none is made but by a plan of the tuning itself

    @property
    def left(self) -> tuple[PlannedRun, ...]:
        """Return the runs that are left, as far as the stored ones tell: a sweep may yet be disturbed."""
        again = {run.key for run in _runs_of(self.sessions)}
        repeats = self.due_repeats([run for run in self.stored if run.key not in again])
        shared = [session for session in self.sessions if not session.whole]
        swept = [session for session in self.sessions if session.whole]
        return (*_runs_of(self.setting), *_runs_of(shared), *self.waiting, *_runs_of([*swept, *repeats]))

    @property
    def num_runs(self) -> int:
        """Return how many runs are left."""
        return len(self.left)

    def due_repeats(self, runs: Iterable[Run]) -> Sessions:
        """Return the second tries at the sweeps of which a visit among `runs` was disturbed."""
        made = tuple(runs)
        known = KnownVisits(made)
        disturbed = {run.key for run in made if run.visit and known.disturbances(run)}
        return tuple(sweep for sweep in self.repeatable if any(run.repeats in disturbed for run in sweep.runs))

    def of(self, wanted: Callable[[PlannedRun], bool]) -> "Plan":
        """Return the plan of some of its runs. A session that is whole stays so, or goes."""
        return replace(
            self,
            sessions=_some_of(self.sessions, wanted),
            repeatable=_some_of(self.repeatable, wanted),
            setting=_some_of(self.setting, wanted),
            waiting=tuple(filter(wanted, self.waiting)),
        )


def make_plan(
    suite: Suite,
    stored: Sequence[Run],
    host: Host,
    *,
    seeds: int | None = None,
    retry_failed: bool = False,
    fresh: bool = False,
    repeat: bool = True,
    made: Collection[str] = (),
) -> Plan:
    """Return what is left to run. A sweep that lacks one visit is run again whole: its layout was drawn for all.

    `repeat` allows a second try, once, at a timing sweep that something disturbed. `made` are the keys of runs that
    need not be made again, even with `fresh`. Raises `SuiteError` where so many `seeds` reach those that set targets.
    """
    _check_seeds(suite, seeds)
    kinds = _settled(retry_failed)
    done = set(made) | (set() if fresh else {run.key for run in stored if run.outcome.kind in kinds})
    setting = plan_target_runs(suite, host)
    targets = find_targets(suite, setting, {run.key: run for run in stored}, done)
    untimed, waiting = _untimed(suite, host, seeds, targets)
    sweeps = _sweeps(suite, host)
    repeats = [[_second_try(run, host) for run in sweep] for sweep in sweeps if sweep[0].sweep != PILOT]
    planned = [*setting, *untimed, *(run for sweep in sweeps for run in sweep)]
    wanted = {run.key for run in (*planned, *(run for sweep in repeats for run in sweep))}
    used = [run for run in stored if run.key in wanted]
    keys = {run.key for run in used}
    other = runs_of_other_targets([*waiting, *(run for run in untimed if run.key not in keys)], stored)
    return Plan(
        setting=_shared(f"{suite.seed} setting", [run for run in setting if run.key not in done]),
        waiting=tuple(waiting),
        sessions=(
            *_shared(str(suite.seed), [run for run in untimed if run.key not in done]),
            *_unfinished(sweeps, done, suite.seed),
        ),
        repeatable=_unfinished(repeats, done, suite.seed) if repeat else (),
        stored=tuple(used),
        targets=replace(targets, other_runs=other, num_tried=num_targets_tried(suite, stored)),
        older_code=_count_older([*planned, *waiting], stored, wanted),
        trials=_of_plan(_trials(suite, host), stored),
    )


def make_tuning_plan(
    suite: Suite, stored: Sequence[Run], host: Host, *, retry_failed: bool = False, fresh: bool = False
) -> Plan:
    """Return what is left to run of the suite's tuning, and nothing else: no trial is judged."""
    trials = _trials(suite, host)
    found = _of_plan(trials, stored)
    kinds = _settled(retry_failed)
    done = set() if fresh else {run.key for run in found if run.outcome.kind in kinds}
    return Plan(
        sessions=_shared(f"{suite.seed} tuning", [run for run in trials if run.key not in done]),
        repeatable=(),
        stored=found,
        older_code=_count_older(trials, stored, {run.key for run in trials}),
        trials=found,
    )


def _trials(suite: Suite, host: Host) -> list[PlannedRun]:
    seeds = suite.tuning.run_seeds if suite.tuning else ()
    return [plan_run(cell, seed, host) for cell in suite.trial_cells() for seed in seeds]


def _of_plan(planned: Sequence[PlannedRun], stored: Sequence[Run]) -> tuple[Run, ...]:
    """Return the stored runs among the planned ones, in the order of the plan."""
    keys = {run.key for run in planned}
    found = {run.key: run for run in stored if run.key in keys}
    return tuple(found[run.key] for run in planned if run.key in found)


def _check_seeds(suite: Suite, seeds: int | None) -> None:
    for table in suite.tables.values():
        try:
            table.run_seeds(seeds)
        except ValueError as error:
            raise SuiteError(f"--seeds {seeds}: {error}") from None


def _untimed(
    suite: Suite, host: Host, seeds: int | None, targets: TargetFindings
) -> tuple[list[PlannedRun], list[PlannedRun]]:
    """Return the runs that are in no sweep, and those of them that wait for a target."""
    ready: list[PlannedRun] = []
    waiting: list[PlannedRun] = []
    for kind, table in suite.tables.items():
        if table.in_sweeps:
            continue
        cells = [(cell, with_target(cell, suite, targets)) for cell in suite.cells(kind)]
        for seed in table.run_seeds(seeds):
            ready += [plan_run(judged, seed, host) for _, judged in cells if judged]
            waiting += [plan_run(cell, seed, host) for cell, judged in cells if not judged]
    if suite.convergence:
        seeds_of_checks = suite.convergence.rate_check_seeds
        ready += [plan_run(cell, seed, host) for cell in suite.rate_check_cells() for seed in seeds_of_checks]
    return ready, waiting


def _settled(retry_failed: bool) -> tuple[str, ...]:
    # A divergence is a finding about the optimizer, never a failure to be tried again.
    every = ("completed", "diverged", "timeout", "out_of_memory", "crashed", "killed")
    return every[:2] if retry_failed else every


def _sweeps(suite: Suite, host: Host) -> list[list[PlannedRun]]:
    """Alternate in direction, the arms' order drawn by the suite's seed: with two arms that is ABBA."""
    sweeps = []
    swept = [(kind, table) for kind, table in suite.tables.items() if table.in_sweeps]
    for (kind, table), name in product(swept, suite.workloads):
        cells = [cell for cell in suite.cells(kind) if cell.workload_name == name]
        random.Random(f"{suite.seed} {name}").shuffle(cells)
        for sweep in table.run_seeds(None):
            ordered = cells if sweep % 2 == 0 else cells[::-1]
            if sweep == PILOT:
                ordered = [replace(cell, measurement=WarmUpSettings()) for cell in ordered]
            # The seed of a sweep is its number: weights and batches are drawn anew, and are equal for its arms.
            sweeps.append([plan_run(cell, sweep, host, sweep, place) for place, cell in enumerate(ordered)])
    return sweeps


def _second_try(first: PlannedRun, host: Host) -> PlannedRun:
    key = run_key(
        first.cell,
        first.seed,
        first.sweep,
        host=host,
        environment=first.environment,
        code=first.code,
        repeated=True,
    )
    return replace(first, key=key, repeats=first.key)


def _shared(layout: str, runs: Sequence[PlannedRun]) -> Sessions:
    """Return runs that need not belong together, those that are timed alone and behind the others."""
    beside = tuple(run for run in runs if not run.cell.measurement.timed)
    alone = tuple(run for run in runs if run.cell.measurement.timed)
    sessions = (
        Session(layout=layout, runs=beside, alone=False, whole=False),
        Session(layout=f"{layout} alone", runs=alone, whole=False),
    )
    return tuple(session for session in sessions if session.runs)


def _unfinished(sweeps: Sequence[Sequence[PlannedRun]], done: set[str], seed: int) -> Sessions:
    return tuple(
        Session(layout=f"{seed} {_title(sweep[0])}", runs=tuple(sweep))
        for sweep in sweeps
        if not all(run.key in done for run in sweep)
    )


def _title(visit: PlannedRun) -> str:
    return f"{visit.cell.workload_name} sweep {visit.sweep}{' again' if visit.repeats else ''}"


def _some_of(sessions: Sessions, wanted: Callable[[PlannedRun], bool]) -> Sessions:
    chosen = (replace(session, runs=tuple(filter(wanted, session.runs))) for session in sessions)
    return tuple(session for session in chosen if session.runs)


def _runs_of(sessions: Iterable[Session[PlannedRun]]) -> Iterator[PlannedRun]:
    for session in sessions:
        yield from session.runs


def _count_older(planned: Sequence[PlannedRun], stored: Sequence[Run], wanted: set[str]) -> int:
    """Return the runs of older code, or packages: the same cells and seeds, whatever their target was."""
    places: defaultdict[tuple[str, int], set[object]] = defaultdict(set)
    for plan in planned:
        places[_without_target(plan.cell), plan.seed].add((plan.environment.identity, plan.code.identity))
    older = 0
    for run in stored:
        codes = places.get((_without_target(run.cell), run.seed), set())
        older += run.key not in wanted and bool(codes) and (run.environment.identity, run.code.identity) not in codes
    return older


def _without_target(cell: Cell) -> str:
    return cell.without_target.identity
