"""Reads what the system lets a run have of this machine."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from evabench.machine.control_groups import cpu_limit, memory_limit
from evabench.records.limits import Limits


def read_limits(root: Path = Path("/"), affinity: Collection[int] | None = None) -> Limits:
    """Return the limits of this process, which its children inherit. Both arguments are the system's but in tests."""
    usable = os.sched_getaffinity(0) if affinity is None else affinity
    return Limits(
        usable_cpus=len(usable),
        affinity=",".join(_ranges(sorted(usable))),
        cpus=cpu_limit(root),
        memory_bytes=memory_limit(root),
    )


def _ranges(numbers: list[int]) -> Iterator[str]:
    """Yield "0-3", "8" for 0, 1, 2, 3, 8."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            first, last = numbers[start], numbers[end - 1]
            yield str(first) if first == last else f"{first}-{last}"
            start = end
