"""What a run has started beside its own process, and the memory of that: as Linux tells it in /proc."""

import ctypes
import os
import resource
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from evabench.records.checks import ChildProcesses
from evabench.units import Bytes, Seconds

_PROC = Path("/proc")


class ProcessWatch:
    """Looks at all descendants of this process, but for those that read its input."""

    def __init__(self, readers: Callable[[], Collection[int]] = tuple) -> None:
        self._readers = readers
        self._num, self._private = 0, 0
        self._before = self._cpu_seconds()

    def look(self) -> None:
        """Take in how many there are now, and what they hold."""
        found = [private_bytes(pid) for pid in self._living()]
        self._num = max(self._num, len(found))
        self._private = max(self._private, sum(one or 0 for one in found))

    def found(self) -> ChildProcesses | None:
        """Look once more, and return what was seen since this was made; None where the system does not say."""
        if not (_PROC / "self/task").is_dir():
            return None
        self.look()
        return ChildProcesses(
            num_processes=self._num,
            private_bytes=self._private,
            cpu_seconds=max(0.0, self._cpu_seconds() - self._before),
        )

    def _living(self) -> list[int]:
        readers = self._readers()
        return [pid for pid in descendants() if pid not in readers]

    def _cpu_seconds(self) -> Seconds:
        ended = 0.0
        if not self._readers():  # of those that ended nobody knows which they were
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            ended = usage.ru_utime + usage.ru_stime
        return ended + sum(cpu_seconds(pid) for pid in self._living())


def descendants() -> tuple[int, ...]:
    """Return all processes that this one has started, at any depth."""
    found = []
    waiting = [*_children(os.getpid()), *_orphans()]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += _children(pid)
    return tuple(found)


def _orphans() -> Iterator[int]:
    """Yield what descended from this process and lost its parent: a launch server adopts it, in its old group."""
    if os.getpgid(0) != os.getpid():
        return
    for pid in _children(os.getppid()):
        try:
            if pid != os.getpid() and os.getpgid(pid) == os.getpid():
                yield pid
        except OSError:  # it has ended
            continue


def _children(pid: int) -> list[int]:
    found = []
    for path in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            found += [int(one) for one in path.read_text().split()]
        except OSError:  # it has ended
            continue
    return found


def cpu_seconds(pid: int) -> Seconds:
    """Return the CPU time of a process and of its children that have ended; 0 where it has ended itself."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def private_bytes(pid: int) -> Bytes | None:
    """Return the memory of a process that it shares with no other: a fork shares what it has not written to."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


def anonymous_bytes() -> Bytes | None:
    """Return the resident memory of this process that lies in no file, what was freed given back before."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    try:
        lines = (_PROC / "self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), None)
