"""Makes the sessions of a plan, one after the other: every result is stored as soon as it counts, then told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import lcm
from threading import Lock
from typing import Protocol

from evabench.findings.interruptions import KnownVisits
from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.machine.conditions import MachineWatcher, Watcher
from evabench.records.conditions import Conditions
from evabench.records.device import RunDevice
from evabench.records.host import Host
from evabench.records.measurement import WarmUpSettings
from evabench.records.request import Request
from evabench.records.run import Run, Visit
from evabench.records.step_time import WarmUp
from evabench.runner.devices import Devices, DeviceShares
from evabench.runner.plan import PILOT, Plan
from evabench.runner.planned_run import PlannedRun
from evabench.runner.session import Session, perform
from evabench.store.files import RunStore
from evabench.units import Seconds


class Progress(Protocol):
    """Hears what happens."""

    def begin(self, planned: PlannedRun) -> None:
        """Hear of the beginning of a run."""

    def advance(self, planned: PlannedRun) -> None:
        """Hear of the end of a run that may not be stored yet."""

    def done(self, run: Run) -> None:
        """Hear of a run that is stored."""

    def lost(self, planned: PlannedRun, reason: str) -> None:
        """Hear of a run that came to nothing through no fault of its arm. Neither it nor its sweep is stored."""

    def repeated(self, first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> None:
        """Hear of both tries at a sweep, and of all visits beside which they were judged."""


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One call of `evabench run`."""

    store: RunStore
    host: Host
    timeout_seconds: Seconds
    progress: Progress
    jobs: int = 1
    devices: Devices = field(default_factory=Devices)
    watcher: Watcher = field(default_factory=MachineWatcher)
    launch: Launch = LaunchServer
    _made: dict[str, Run] = field(default_factory=dict, init=False)
    _shares: DeviceShares = field(init=False)
    _ending: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Deal out the devices."""
        self._shares = DeviceShares(self.devices, self.jobs)

    def set_targets(self, plan: Plan) -> frozenset[str]:
        """Make the runs that set targets and return their keys: what is judged by them has to be planned anew then."""
        for session in plan.setting:
            self._run(session)
        return frozenset(self._made)

    def run(self, plan: Plan) -> None:
        """Make every run of the plan that sets no target and waits for none."""
        self._made |= {run.key: run for run in plan.stored}
        for session in plan.sessions:
            self._run(session)
        # Once, and whole: pairs are made within a sweep. What was disturbed first stays in the store beside it.
        for sweep in plan.due_repeats(self._made.values()):
            first = [self._made[run.repeats] for run in sweep.runs if run.repeats in self._made]
            second = self._run(sweep)
            if second:
                self.progress.repeated(first, second, KnownVisits(self._made.values()))

    def _run(self, session: Session[PlannedRun]) -> Sequence[Run]:
        """Make the runs of a session, store those that count and return them."""
        warmup_steps = _warmup_steps(self._made.values(), session.runs) if session.whole else 0
        if warmup_steps is None:
            return ()
        jobs = 1 if session.alone else min(self.jobs, len(session.runs))
        counted: list[Run] = []

        def make(server: Launcher, planned: PlannedRun) -> Run | None:
            return self._make(server, planned, warmup_steps=warmup_steps, jobs=jobs)

        def ended(results: Sequence[Run | None]) -> None:
            runs = [run for run in results if run is not None]
            if len(runs) == len(results):  # a sweep that has lost one run is run again whole
                self._end(runs)
                counted.extend(runs)

        perform(session, self.launch, make, ended=ended, jobs=jobs)
        return counted

    def _end(self, runs: Sequence[Run]) -> None:
        with self._ending:
            self.store.append(runs)
            self._made |= {run.key: run for run in runs}
            for run in runs:
                self.progress.done(run)

    def _make(self, server: Launcher, planned: PlannedRun, *, warmup_steps: int, jobs: int) -> Run | None:
        """Return the run, None where it was lost."""
        self.progress.begin(planned)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        watch = self.watcher.begin(jobs=jobs)
        request = Request(
            cell=planned.cell,
            seed=planned.seed,
            warmup_steps=warmup_steps,
            timeout_seconds=self.timeout_seconds,
        )
        with self._shares.one(alone=jobs == 1) as index:
            reply = server.perform(replace(request, device_index=index))
        conditions = _on_device(watch.end(threads=reply.threads), reply.device)
        with self._ending:
            self.progress.advance(planned)
            if reply.outcome.kind == "lost":
                self.progress.lost(planned, reply.outcome.reason or "nobody knows why")
                return None
        visit = None
        if planned.sweep is not None and planned.position is not None:
            visit = Visit(
                sweep=planned.sweep,
                position=planned.position,
                warmup_steps=warmup_steps,
                repeated=planned.repeats is not None,
            )
        return Run(
            key=planned.key,
            cell=planned.cell,
            seed=planned.seed,
            visit=visit,
            host=self.host,
            environment=planned.environment,
            code=planned.code,
            conditions=conditions,
            outcome=reply.outcome,
            measured=reply.measured,
            health=reply.health,
            preconditioned_share=reply.preconditioned_share,
            subnormals_flushed=reply.subnormals_flushed,
            setup_seconds=reply.setup_seconds,
            started=started,
        )


def _on_device(conditions: Conditions, device: RunDevice | None) -> Conditions:
    """Return the conditions with the device among what the run was given: paired runs must share it."""
    if conditions.limits is None or device is None:
        return conditions
    return replace(conditions, limits=replace(conditions.limits, device=device))


def _warmup_steps(made: Iterable[Run], sweep: Sequence[PlannedRun]) -> int | None:
    """Return the steps that every arm of a series discards: the longest of its pilots, in whole cycles of all.

    0 for the pilot itself. None: the pilot was lost, so that a sweep would not discard what the others will.
    """
    if sweep[0].sweep == PILOT:
        return 0
    name = sweep[0].cell.workload_name
    pilots = [run for run in made if run.cell.workload_name == name and run.visit and run.visit.sweep == PILOT]
    if not pilots:
        return None
    longest = [run.measured.discarded_steps for run in pilots if isinstance(run.measured, WarmUp)]
    cycle = lcm(*(run.cell.optimizer.cycle_steps for run in sweep))
    # No pilot completed: two windows, the least that one can need.
    return -(-max(longest, default=2 * WarmUpSettings().min_window_steps) // cycle) * cycle
