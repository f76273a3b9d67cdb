"""The CPU time of each training step, in few numbers: a total, what is usual, and what is not."""

from collections.abc import Sequence
from statistics import median

from evabench.records.checks import SlowStep, StepEffort
from evabench.units import Seconds

_NUM_KEPT = 64
_LEAST_OVER = 1.5  # times the median of its position: less is no slow step, but the noise of a machine


def effort_of(cpu_seconds: Sequence[Seconds], cycle_steps: int) -> StepEffort:
    """Return what the CPU times of all steps of a run come to; a step refreshes at position 0 of a cycle."""
    later = cpu_seconds[1:]
    by_position = [cpu_seconds[position::cycle_steps] for position in range(cycle_steps)]
    # The first step of all is no usual one, and its position has others where the run has a second cycle.
    by_position[0] = by_position[0][1:] or by_position[0]
    usual = tuple(median(one) for one in by_position if one)
    slow = [
        (seconds - usual[step % cycle_steps], SlowStep(step=step, cpu_seconds=seconds))
        for step, seconds in enumerate(cpu_seconds)
        if step > 0 and seconds > _LEAST_OVER * usual[step % cycle_steps]
    ]
    slow.sort(key=lambda one: -one[0])
    return StepEffort(
        num_steps=len(later),
        cpu_seconds=sum(later),
        first_cpu_seconds=cpu_seconds[0] if cpu_seconds else None,
        position_cpu_seconds=usual,
        slowest=tuple(one for _, one in slow[:_NUM_KEPT]),
    )
