"""Timed blocks that were stopped and let go on: by a signal, a closed lid, a machine that moves to another host.

The thresholds are ours; what was read is stored, so they may be moved.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from evabench.findings.disturbances import disturbances
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.units import Seconds, format_seconds

_MAX_OVER_ITS_STEPS = 0.2  # wall time of a block over the sum of what its steps usually take
_MAX_OVER_CPU_TIME = 0.1  # wall time of a block over its CPU time
_MIN_CYCLES = 3  # two steps of one position have no usual time


class KnownVisits:
    """Runs that are known together, and what disturbed each of them."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._of_arms: defaultdict[tuple[object, ...], dict[str, StepTime]] = defaultdict(dict)  # by key of the run
        for run in runs:
            if run.outcome.completed and isinstance(run.measured, StepTime):
                self._of_arms[_arm_of(run)][run.key] = run.measured

    def disturbances(self, run: Run) -> tuple[str, ...]:
        """Return what disturbed a run, by the conditions around it and by its own clock."""
        found = disturbances(run.conditions)
        if not isinstance(run.measured, StepTime):
            return found
        alike = self._of_arms.get(_arm_of(run), {})
        return (*found, *interruptions(run.measured, [visit for key, visit in alike.items() if key != run.key]))


def interruptions(visit: StepTime, others: Sequence[StepTime] = ()) -> tuple[str, ...]:
    """Return how often, and for how long, a timed block was interrupted; empty: none that can be told.

    A block took longer than its steps usually do at their position in the cycle, or, on one thread of a CPU, than the
    process computed. What is usual for a block of one or two long cycles is what `others` took, the arm's other visits;
    without three cycles of those it has the second sign alone.
    """
    lost = [seconds for seconds in _lost_seconds(visit, others) if seconds > 0]
    if not lost:
        return ()
    blocks = "A timed block was" if len(lost) == 1 else f"{len(lost)} timed blocks were"
    whole = sum(visit.block_seconds)
    return (f"{blocks} interrupted for {format_seconds(sum(lost))} of {format_seconds(whole)}.",)


def _lost_seconds(visit: StepTime, others: Sequence[StepTime]) -> Iterator[Seconds]:
    """Yield for each block the seconds in which it did not compute; 0 where that is within bounds."""
    per_block = len(visit.step_seconds) // len(visit.block_seconds)
    cycle = _usual_cycle(visit, per_block, others)
    for number, wall in enumerate(visit.block_seconds):
        expected = wall if cycle is None else cycle * per_block / visit.cycle_steps
        over = wall - expected if wall > (1 + _MAX_OVER_ITS_STEPS) * expected else 0.0
        computed = visit.cpu_seconds[number] if visit.cpu_seconds else wall
        waited = wall - computed if wall > (1 + _MAX_OVER_CPU_TIME) * computed else 0.0
        yield max(over, waited)


def _usual_cycle(visit: StepTime, per_block: int, others: Sequence[StepTime]) -> Seconds | None:
    """Return the sum of the median times of each position; None where too few steps say what is usual."""
    if per_block >= _MIN_CYCLES * visit.cycle_steps:
        return sum(visit.position_seconds)
    steps = [seconds for other in others if other.cycle_steps == visit.cycle_steps for seconds in other.step_seconds]
    if len(steps) < _MIN_CYCLES * visit.cycle_steps:
        return None
    return sum(median(steps[position :: visit.cycle_steps]) for position in range(visit.cycle_steps))


def _arm_of(run: Run) -> tuple[object, ...]:
    """Return what visits have in common that may be compared."""
    cell = run.cell
    where = (cell.device, cell.subnormals, cell.process_group, cell.ranks, cell.threads, run.host.id)
    what = (cell.workload, cell.optimizer, cell.measurement, run.code.hashes, run.environment)
    return (*where, run.conditions.limits, repr(what))
