"""What contaminates a timing from outside: the conditions around a run.

The thresholds are ours; what was read is stored, so they may be moved.
"""

from collections.abc import Iterator

from evabench.records.conditions import Conditions, GpuConditions
from evabench.units import format_bytes

# A gate finds slow-downs from 3 % on. What takes more than a third of that from a run may decide it.
_MAX_SHARE_TAKEN = 0.01
# Of the whole machine. Others on other cores take memory bandwidth, turbo and, at times, our core: on a machine with 2
# CPUs this is a fifth of one of them.
_MAX_FOREIGN_SHARE = 0.1
_MAX_SWAPPED_BYTES = 1 << 20  # a page of somebody else's that comes back is no swapping
# What a GPU does at full load ("power limit"), or was told to do, belongs to the machine that is measured.
_HARMFUL_LIMITS = frozenset(
    {"hardware slowdown", "software thermal slowdown", "hardware thermal slowdown", "power brake"}
)


def disturbances(conditions: Conditions) -> tuple[str, ...]:
    """Return what disturbed a run, one sentence each, of its GPU first; empty: nothing that was read did."""
    return (*_of_the_gpus(_gpus_of_the_run(conditions)), *_of_the_cpus(conditions), *_of_the_memory(conditions))


def taken_share(seen: Conditions) -> float:
    """Return which share of the CPUs' time others took from a run, or a limit did: the most that one reading says."""
    throttled = seen.throttled_seconds / seen.seconds if seen.throttled_seconds and seen.seconds else 0.0
    return max(seen.steal_share or 0.0, seen.foreign_cpu_share or 0.0, throttled)


def is_clean(conditions: Conditions) -> bool:
    """Return whether a run had the machine for itself, so that its own clock says what its work takes."""
    return conditions.jobs == 1 and not disturbances(conditions)


def _of_the_cpus(seen: Conditions) -> Iterator[str]:
    if seen.steal_share is not None and seen.steal_share > _MAX_SHARE_TAKEN:
        yield f"The hypervisor took {seen.steal_share:.1%} of the CPU time."
    if seen.foreign_cpu_share is not None and seen.foreign_cpu_share > _MAX_FOREIGN_SHARE:
        yield f"Other programs used {seen.foreign_cpu_share:.0%} of the CPU time."
    if seen.throttled_seconds and seen.seconds and seen.throttled_seconds > _MAX_SHARE_TAKEN * seen.seconds:
        share = seen.throttled_seconds / seen.seconds
        yield f"The CPU limit of the control group stopped the run for {share:.1%} of its time."
    if seen.thermal_events:
        yield f"Heat brought the clock of a CPU down ({seen.thermal_events} times)."


def _of_the_memory(seen: Conditions) -> Iterator[str]:
    if seen.swapped_bytes is not None and seen.swapped_bytes > _MAX_SWAPPED_BYTES:
        yield f"The machine swapped {format_bytes(seen.swapped_bytes)}."


def _gpus_of_the_run(seen: Conditions) -> tuple[GpuConditions, ...]:
    """Return the GPU that it trained on: who is on another one takes nothing from it, nor from a run on a CPU.

    All that it could see where it is not known which that was.
    """
    gpus, limits = seen.gpus or (), seen.limits
    if limits is None:
        return gpus
    return tuple(gpu for gpu in gpus if limits.device is not None and limits.device.is_gpu(gpu.uuid))


def _of_the_gpus(gpus: tuple[GpuConditions, ...]) -> Iterator[str]:
    for gpu in gpus:
        if gpu.foreign_processes:
            others = "another process" if gpu.foreign_processes == 1 else f"{gpu.foreign_processes} other processes"
            yield f"GPU {gpu.uuid} was shared with {others}."
        if harmful := [words for words in gpu.clock_limits or () if words in _HARMFUL_LIMITS]:
            yield f"GPU {gpu.uuid} was slowed down: {', '.join(harmful)}."
