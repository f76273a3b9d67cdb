"""Watches one GPU while a run is made: who else is on it, and what holds its clocks down."""

from collections.abc import Callable, Iterable

import psutil

from evabench.nvml.devices import Device
from evabench.nvml.processes import DeviceProcess, OwnPids, processes_of, read_own_pids
from evabench.records.conditions import GpuConditions
from evabench.units import Hertz


def own_tree_pids() -> OwnPids:
    """Return the numbers by which NVML may know this process and those that it started."""
    own = read_own_pids()
    if own.reason:
        return own
    pids = set(own.pids)
    for child in psutil.Process().children(recursive=True):
        pids |= read_own_pids(child.pid).pids  # none where it has just ended
    return OwnPids(pids=frozenset(pids), reason=None)


class GpuWatch:
    """Made before the child is: where runs are made one at a time, who is on the GPU then is foreign for certain."""

    def __init__(self, device: Device, *, alone: bool, own: Callable[[], OwnPids] = own_tree_pids) -> None:
        self._device, self._own = device, own
        self._alone, self._child_may_live = alone, True
        self._here_before = {process.pid for process in processes_of(device) or ()}
        self._foreign: list[int] = []
        self._limits: dict[str, None] | None = None
        self._clocks: list[Hertz] = []

    def look(self) -> None:
        """Read it once."""
        processes = processes_of(self._device)
        foreign = None if processes is None else self._count_foreign(processes)
        self._foreign += [foreign] if foreign is not None else []
        limits = self._device.clock_limits()
        if limits is not None:
            self._limits = (self._limits or {}) | dict.fromkeys(limits)
        clock = self._device.sm_clock()
        self._clocks += [clock] if clock is not None else []

    def expect_no_child(self) -> None:
        """Take everybody for foreign from now on: our child has ended."""
        self._child_may_live = False

    def conditions(self) -> GpuConditions:
        """Return what was seen."""
        return GpuConditions(
            uuid=self._device.uuid,
            foreign_processes=max(self._foreign, default=None),
            clock_limits=None if self._limits is None else tuple(self._limits),
            lowest_sm_clock=min(self._clocks, default=None),
            highest_sm_clock=max(self._clocks, default=None),
            max_sm_clock=self._device.max_sm_clock(),
        )

    def _count_foreign(self, processes: Iterable[DeviceProcess]) -> int | None:
        pids = {process.pid for process in processes}
        own = self._own()
        if own.reason is None:
            return len(pids - own.pids)
        if not self._alone:
            return None
        # In a container our child has a number that cannot be known: who came with it may be it.
        self._device.nvml.lack(f"{self._device.title}, processes that came and went during the run", own.reason)
        return len(pids & self._here_before if self._child_may_live else pids)
