"""Runs a plan: what is not timed several at once, timing sweeps alone, every result stored as soon as it counts."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import lcm
from queue import SimpleQueue
from threading import Event, Lock

from evabench.launch.server import LaunchServer
from evabench.machine.conditions import MachineWatcher, Watcher
from evabench.records.host import Host
from evabench.records.measurement import WarmUpSettings
from evabench.records.request import ChildReply, Request
from evabench.records.run import Run, Visit
from evabench.records.step_time import WarmUp
from evabench.runner.plan import PILOT, Plan
from evabench.runner.planned_run import PlannedRun
from evabench.store.files import RunStore
from evabench.units import Seconds

Progress = Callable[[Run], None]
Repeated = Callable[[Sequence[Run], Sequence[Run]], None]  # the first and the second try at a sweep


@dataclass(slots=True)
class Campaign:
    """One call of `evabench run`."""

    store: RunStore
    host: Host
    timeout_seconds: Seconds
    layout_seed: int
    jobs: int = 1
    progress: Progress = lambda run: None
    repeated: Repeated = lambda first, second: None
    watcher: Watcher = field(default_factory=MachineWatcher)
    launch: Callable[..., LaunchServer] = LaunchServer
    _writing: Lock = field(default_factory=Lock, init=False)

    def set_targets(self, plan: Plan) -> None:
        """Make the runs that set targets: what is judged by them has to be planned anew then."""
        self._run_untimed(plan.setting, self.jobs)

    def run(self, plan: Plan) -> None:
        """Make every run of the plan that sets no target and waits for none."""
        alone = [run for run in plan.untimed if run.cell.measurement.timed]
        self._run_untimed([run for run in plan.untimed if run not in alone], self.jobs)
        self._run_untimed(alone, 1)
        self._run_sweeps(plan)

    def _run_untimed(self, planned: Sequence[PlannedRun], jobs: int) -> None:
        jobs = min(jobs, len(planned))
        if not planned:
            return
        with ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:
            servers: SimpleQueue[LaunchServer] = SimpleQueue()
            started = [
                stack.enter_context(self.launch(layout_seed=f"{self.layout_seed} job {index}")) for index in range(jobs)
            ]
            for server in started:
                servers.put(server)
            given_up = Event()

            def make(run: PlannedRun) -> None:
                server = servers.get()
                try:
                    made = self._make(server, run, warmup_steps=0, jobs=jobs)
                    if not given_up.is_set():
                        self.progress(made)
                        self._store([made])
                finally:
                    servers.put(server)

            try:
                for done in [pool.submit(make, run) for run in planned]:
                    done.result()
            except BaseException:  # Ctrl-C, or a disk that is full: nobody waits for what is left
                given_up.set()
                pool.shutdown(wait=False, cancel_futures=True)
                for server in started:
                    server.abandon()
                raise

    def _run_sweeps(self, plan: Plan) -> None:
        made = {run.key: run for run in plan.stored}
        for sweep in plan.sweeps:
            made |= {run.key: run for run in self._run_sweep(sweep, made.values())}
        # Once, and whole: pairs are made within a sweep. What was disturbed first stays in the store beside it.
        for sweep in plan.due_repeats(made.values()):
            second = self._run_sweep(sweep, made.values())
            self.repeated([made[run.repeats] for run in sweep if run.repeats in made], second)

    def _run_sweep(self, sweep: Sequence[PlannedRun], made: Iterable[Run]) -> list[Run]:
        number, name = sweep[0].sweep, sweep[0].cell.workload_name
        again = " again" if sweep[0].repeats else ""
        warmup_steps = 0 if number == PILOT else _warmup_steps(made, sweep)
        with self.launch(layout_seed=f"{self.layout_seed} {name} sweep {number}{again}") as server:
            # Stored together: a sweep that was cut short is run again whole, so half of one is worth nothing.
            runs = []
            for run in sweep:
                runs.append(self._make(server, run, warmup_steps=warmup_steps, jobs=1))
                self.progress(runs[-1])
        self._store(runs)
        return runs

    def _make(self, server: LaunchServer, planned: PlannedRun, *, warmup_steps: int, jobs: int) -> Run:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        watch = self.watcher.begin(jobs=jobs)
        request = Request(
            cell=planned.cell,
            seed=planned.seed,
            warmup_steps=warmup_steps,
            timeout_seconds=self.timeout_seconds,
        )
        reply: ChildReply = server.perform(request)
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
            code=planned.code,
            conditions=watch.end(threads=reply.threads),
            outcome=reply.outcome,
            measured=reply.measured,
            health=reply.health,
            preconditioned_share=reply.preconditioned_share,
            subnormals_flushed=reply.subnormals_flushed,
            started=started,
        )

    def _store(self, runs: Sequence[Run]) -> None:
        with self._writing:
            self.store.append(runs)


def _warmup_steps(runs: Iterable[Run], sweep: Sequence[PlannedRun]) -> int:
    """Return the steps that every arm of a series discards: the longest of its pilots, in whole cycles of all."""
    name = sweep[0].cell.workload_name
    longest = [
        run.measured.discarded_steps
        for run in runs
        if run.cell.workload_name == name and isinstance(run.measured, WarmUp)
    ]
    cycle = lcm(*(run.cell.optimizer.cycle_steps for run in sweep))
    # No pilot completed: two windows, the least that one can need.
    return -(-max(longest, default=2 * WarmUpSettings().min_window_steps) // cycle) * cycle
