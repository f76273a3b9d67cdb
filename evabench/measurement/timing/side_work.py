"""Finds work that an optimizer does beside the step: in a thread of its own, where no wall time shows it.

The CPU time of the process less that of the thread that trains is the CPU time of all other threads, also of those
that have ended. Read before and after a block, never inside.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import get_native_id
from time import process_time_ns, thread_time_ns

from evabench.records.side_work import SideWork
from evabench.units import Seconds

_LEAST_SECONDS = 1e-3  # below it a difference of clocks is not work
_THREADS = Path("/proc/self/task")


class SideWorkWatch:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._threads = _running_nanoseconds()
        self._began = process_time_ns() - thread_time_ns()

    def end(self, block_seconds: Seconds, num_steps: int) -> SideWork:
        """Return what was done since it was made, beside the thread that calls."""
        beside = max(0, process_time_ns() - thread_time_ns() - self._began) / 1e9
        return SideWork(
            cpu_seconds=beside,
            block_seconds=block_seconds,
            num_steps=num_steps,
            num_threads=_num_threads(self._threads, _running_nanoseconds(), beside),
        )


def _running_nanoseconds() -> dict[int, int] | None:
    """Return how long each thread of this process has been on a CPU; None where the system does not say."""
    found = {}
    try:
        for folder in _THREADS.iterdir():
            found[int(folder.name)] = int((folder / "schedstat").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return None
    return found


def _num_threads(before: Mapping[int, int] | None, after: Mapping[int, int] | None, beside: Seconds) -> int | None:
    """Return how many other threads ran, at least: all that have ended by now count as one."""
    if before is None or after is None:
        return None
    mine = get_native_id()
    ran = [nanoseconds - before.get(thread, 0) for thread, nanoseconds in after.items() if thread != mine]
    ended = beside - sum(ran) / 1e9 > _LEAST_SECONDS
    return sum(nanoseconds > 0 for nanoseconds in ran) + ended
