"""What a person sees while a suite runs: a bar in a terminal, a line a failure elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evabench.records.run import Run


class RunProgress:
    """Counts the runs that are done, and names every one that did not complete."""

    def __init__(self, console: Console, num_runs: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("starting", total=num_runs)

    def done(self, run: Run) -> None:
        """Advance by one run."""
        self._progress.update(self._task, advance=1, description=f"{run.cell.arm}: {run.cell.measurement.measurement}")
        if not run.outcome.completed:
            line = f"{run.cell.title}, seed {run.seed}: {run.outcome.kind}: {run.outcome.reason}"
            self._progress.console.print(line, markup=False, highlight=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
