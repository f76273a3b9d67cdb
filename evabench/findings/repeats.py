"""Which of the two tries at a timing sweep counts. Both are kept."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from evabench.findings.interruptions import KnownVisits
from evabench.records.run import Run


def counting_try(first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> Sequence[Run]:
    """Return the second try where nothing disturbed it and every arm that got through the first got through it too.

    Else the first: an arm that always heats or swaps the machine would otherwise have its better half chosen. The
    times take no part in it, and the choice is made for all arms at once.
    """
    quiet = not any(known.disturbances(run) for run in second)
    whole = {run.cell.arm for run in first if run.outcome.completed} <= {
        run.cell.arm for run in second if run.outcome.completed
    }
    return second if not first or (second and quiet and whole) else first


def counting_runs(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return all runs but those of the tries that do not count."""
    sweeps: defaultdict[tuple[object, ...], list[Run]] = defaultdict(list)
    counted = []
    every = tuple(runs)
    known = KnownVisits(every)
    for run in every:
        if run.visit is None:
            counted.append(run)
        else:
            sweeps[_sweep_of(run)].append(run)
    for tries in sweeps.values():
        first = [run for run in tries if run.visit and not run.visit.repeated]
        counted += counting_try(first, [run for run in tries if run.visit and run.visit.repeated], known)
    return tuple(counted)


def _sweep_of(run: Run) -> tuple[object, ...]:
    cell = run.cell
    series = (cell.workload_name, repr(cell.workload), repr(cell.measurement), cell.ranks, cell.threads)
    return (*series, run.host.id, run.seed, run.visit.sweep if run.visit else None)
