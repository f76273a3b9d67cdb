"""The committed runs, and how a few values of equal worth are written."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from statistics import median

from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.store.files import RunStore

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@cache
def runs_of(name: str) -> tuple[Run, ...]:
    """Return the runs of a folder of `results/reference`."""
    return tuple(RunStore(REFERENCE / name / "runs.jsonl").load())


def trainings(name: str, workload: str, arm: str) -> list[Run]:
    """Return the training runs of one arm on one workload, by seed."""
    found = [
        run
        for run in runs_of(name)
        if (run.cell.workload_name, run.cell.arm, run.cell.measurement.measurement) == (workload, arm, "convergence")
    ]
    return sorted(found, key=lambda run: run.seed)


def curve(run: Run) -> Convergence:
    """Return what a training run measured."""
    assert isinstance(run.measured, Convergence), run.key
    return run.measured


def final_losses(runs: Iterable[Run]) -> list[float | None]:
    """Return the final validation losses; None: it did not get to the end."""
    return [curve(run).final_validation_loss for run in runs]


def spread(values: Sequence[float], words: Callable[[float], str]) -> str:
    """Return "0.085 [0.079, 0.086]": the median, the lowest and the highest."""
    return f"{words(median(values))} [{words(min(values))}, {words(max(values))}]"


def significant(value: float, digits: int = 3) -> str:
    """Return so many significant digits, without an exponent."""
    rounded = float(f"{value:.{digits}g}")
    decimals = max(0, digits - 1 - _magnitude(rounded))
    return f"{rounded:.{decimals}f}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".split("e")[1])
