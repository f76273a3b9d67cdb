"""Which of the two tries at a timing sweep counts. Both are kept."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from evabench.findings.disturbances import taken_share
from evabench.findings.interruptions import KnownVisits
from evabench.records.run import Run


def counting_try(first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> Sequence[Run]:
    """Return the try that was disturbed less, where every arm that got through the first got through the second too.

    Less: in fewer visits, and in as many by a smaller share of the CPUs' time. Else the first counts. How fast the
    steps were takes no part in it, and the choice is made for all arms at once, so that none has its better half.
    """
    whole = {run.cell.arm for run in first if run.outcome.completed} <= {
        run.cell.arm for run in second if run.outcome.completed
    }
    if not first or not second:
        return first or second
    return second if whole and _disturbed(second, known) < _disturbed(first, known) else first


def _disturbed(sweep: Sequence[Run], known: KnownVisits) -> tuple[int, float]:
    """Return how many visits something disturbed, and how much of the machine was taken from them all."""
    disturbed = [run for run in sweep if known.disturbances(run)]
    return len(disturbed), sum(taken_share(run.conditions) for run in disturbed)


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
