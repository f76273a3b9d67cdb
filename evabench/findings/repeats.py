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
    if not first or not second:
        return first or second
    whole = not _lost_arms(first, second)
    return second if whole and _disturbed(second, known) < _disturbed(first, known) else first


def why_it_counts(first: Sequence[Run], second: Sequence[Run], known: KnownVisits) -> str:
    """Return which of two tries counts and why, as a sentence: "The second counts: 0 of its 2 visits ..."."""
    lost = _lost_arms(first, second)
    if lost:
        return f"The first counts: in the second {', '.join(sorted(lost))} did not complete."
    (in_first, _), (in_second, _) = _disturbed(first, known), _disturbed(second, known)
    if counting_try(first, second, known) is second:
        chosen, own, others, less = "second", in_second, in_first, "less"
    else:
        chosen, own, others, less = "first", in_first, in_second, "no more"
    told = f"{own} of its {len(first)} visits were disturbed, {others} of the other's"
    if own == others:
        told += f", and {less} of the CPUs' time was taken from it"
    return f"The {chosen} counts: {told}."


def _lost_arms(first: Sequence[Run], second: Sequence[Run]) -> set[str]:
    """Return the arms that got through the first try and not through the second."""
    completed = [{run.cell.arm for run in sweep if run.outcome.completed} for sweep in (first, second)]
    return completed[0] - completed[1]


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
