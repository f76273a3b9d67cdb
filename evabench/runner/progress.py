"""What a person sees while a suite runs: a bar, or lines where there is no terminal, and every kind of failure once."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evabench.errors import printable
from evabench.findings.interruptions import KnownVisits
from evabench.findings.repeats import why_it_counts
from evabench.records.cell import Cell
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.runner.heartbeat import Heartbeat
from evabench.runner.planned_run import PlannedRun
from evabench.units import Seconds, format_seconds

EVERY_SECONDS = 30.0  # a line, where no bar moves
FIRST_LOOK_SECONDS = 60.0  # until there is a first table
_LOOK_AGAIN_SECONDS = 15.0  # where there was nothing to show yet


class RunProgress:
    """Counts the runs that are done; of those that failed for one reason it names the first, and counts the others.

    After a minute `first_look` is called, between two runs, when nothing is being timed; it shows what there is so far
    and returns whether there was anything. Where the output is no terminal, a line comes every 30 s.
    """

    def __init__(
        self,
        console: Console,
        num_runs: int,
        *,
        first_look: Callable[[], bool] | None = None,
        now: Callable[[], Seconds] = monotonic,
    ) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("starting", total=num_runs)
        self._failures: Counter[tuple[str, str | None]] = Counter()
        self.num_lost = 0
        self._first_look, self._now = first_look, now
        self._began = now()
        self._look_at = self._began + FIRST_LOOK_SECONDS
        self._heartbeat = None if console.is_terminal else Heartbeat(self.tell, every=EVERY_SECONDS)

    def tell(self) -> None:
        """Print how far it has come, in one line."""
        task = self._progress.tasks[self._task]
        elapsed, total = self._now() - self._began, task.total or 0.0
        left = total - task.completed
        ready = f", ready in about {_clock(elapsed * left / task.completed)}" if task.completed and left else ""
        done = f"{task.completed:.0f} of {total:.0f} runs, {left:.0f} left{ready}"
        self._print(f"{_clock(elapsed)}  {done}. Now {task.description}")

    def begin(self, planned: PlannedRun) -> None:
        """Say what runs now: of several at once the last that began."""
        cell = planned.cell
        self._progress.update(self._task, description=f"{cell.arm}: {cell.measurement.measurement}")

    def advance(self, planned: PlannedRun) -> None:
        """Move the bar by one run."""
        task = self._progress.tasks[self._task]
        if task.total is not None and task.completed >= task.total:  # a sweep is made again: nobody could know
            self._progress.update(self._task, total=task.total + 1)
        self._progress.update(self._task, advance=1)

    def done(self, run: Run) -> None:
        """Tell how a run failed, if it did; and once, when a minute is over, what there is so far."""
        if not run.outcome.completed:
            self._tell_failure(run.cell, run.seed, run.outcome.kind, run.outcome.reason)
        if self._first_look is not None and self._now() >= self._look_at:
            self._look_at = self._now() + _LOOK_AGAIN_SECONDS
            if self._first_look():
                self._first_look = None

    def lost(self, planned: PlannedRun, reason: str) -> None:
        """Tell why a run came to nothing."""
        self.num_lost += 1
        self._tell_failure(planned.cell, planned.seed, "lost", reason)

    def _tell_failure(self, cell: Cell, seed: int, kind: str, reason: str | None) -> None:
        self._failures[kind, reason] += 1
        if self._failures[kind, reason] == 1:
            self._print(f"{cell.title}, seed {seed}: {kind}: {reason}")

    def repeated(self, first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> None:
        """Show both tries at a sweep, and which of them counts."""
        for line in describe_repeat(first, second, known):
            self._print(line)

    def _print(self, line: str) -> None:
        self._progress.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        if self._heartbeat:
            self._heartbeat.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._heartbeat:
            self._heartbeat.__exit__(kind, error, trace)
        self._progress.stop()
        for (outcome, reason), count in self._failures.items():
            if count > 1:
                first_line = (reason or "").partition("\n")[0]
                self._print(f"The same in {count - 1} more {'run' if count == 2 else 'runs'}: {outcome}: {first_line}")


def describe_repeat(first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> tuple[str, ...]:
    """Return the two tries at a sweep in words: what disturbed each, what they measured, which counts."""
    cell, visit = second[0].cell, second[0].visit
    assert visit
    again = {run.cell.arm: run for run in second}
    times = ", ".join(f"{run.cell.arm} {_time(run)} -> {_time(again[run.cell.arm])}" for run in first)
    return (
        f"{cell.workload_name}, sweep {visit.sweep} was disturbed and made again: {times}. "
        f"{why_it_counts(first, second, known)}",
        *(f"  first: {line}" for line in _reasons(first, known)),
        *(f"  second: {line}" for line in _reasons(second, known)),
    )


def _reasons(runs: Sequence[Run], known: KnownVisits) -> list[str]:
    """Return each kind of disturbance once, as its first visit had it: the sentences differ in their numbers."""
    kinds: dict[str, list[str]] = {}
    for run in runs:
        for reason in known.disturbances(run):
            kinds.setdefault(re.sub(r"\d+(\.\d+)?", "", reason), []).append(f"{run.cell.arm}: {reason}")
    return [
        first + (f" (As in {len(more)} more {'visit' if len(more) == 1 else 'visits'}.)" if more else "")
        for first, *more in kinds.values()
    ]


def _clock(seconds: Seconds) -> str:
    """Return "4:07", minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _time(run: Run) -> str:
    return format_seconds(run.measured.amortised_seconds) if isinstance(run.measured, StepTime) else run.outcome.kind
