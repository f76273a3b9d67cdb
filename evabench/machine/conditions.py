"""Watches the machine while a run is made: counters before and after, and a look once per second at what has none.

Nothing of it runs in the child, and where neither a GPU nor a CPU clock can be read there is no side thread either.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Protocol, TypeVar

import psutil

from evabench.machine import counters
from evabench.machine.control_groups import throttled_seconds
from evabench.machine.gpus import GpuWatch
from evabench.machine.limits import read_limits
from evabench.nvml.devices import Device
from evabench.nvml.library import Nvml
from evabench.nvml.visible import visible_devices
from evabench.records.conditions import Conditions
from evabench.sampling import Sampler
from evabench.units import Bytes, Hertz, Seconds

_PERIOD_SECONDS = 1.0
_NOT_COUNTED = {
    "steal_share": "steal: /proc/stat does not count it.",
    "swapped_bytes": "swapping: /proc/vmstat does not count it.",
    "throttled_seconds": "CPU limits: no cpu.stat of our control group counts how long they stopped us.",
    "thermal_events": "heat: the CPUs do not count it (thermal_throttle), as in most virtual machines.",
    "lowest_cpu_clock": "CPU clocks: there is no cpufreq, as in most virtual machines.",
}


class Watch(Protocol):
    """One run that is being watched."""

    def end(self, *, threads: int | None) -> Conditions:
        """Return the conditions since the beginning. The child must have been waited for to count as our own."""


class Watcher(Protocol):
    """Watches runs."""

    def begin(self, *, jobs: int) -> Watch:
        """Start to watch, before the child is made; `jobs` runs are made at the same time."""


@dataclass(slots=True)
class MachineWatcher:
    """Watches this machine. Its session with NVML lasts as long as it does."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    own_seconds: Callable[[], Seconds] = field(default_factory=lambda: _own_seconds)
    now: Callable[[], Seconds] = monotonic
    period_seconds: Seconds = _PERIOD_SECONDS
    _nvml: Nvml = field(default_factory=Nvml, init=False)
    _devices: tuple[Device, ...] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Find the GPUs that a child would see."""
        self._devices = visible_devices(self._nvml, self.environment)

    def begin(self, *, jobs: int) -> "_MachineWatch":
        """Start to watch."""
        gpus = None if self._devices is None else [GpuWatch(device, alone=jobs == 1) for device in self._devices]
        return _MachineWatch(self, jobs, gpus)

    def read(self) -> "_Reading":
        """Read every counter."""
        return _Reading(
            seconds=self.now(),
            cpu=counters.cpu_times(self.root),
            own_seconds=self.own_seconds(),
            swapped_bytes=counters.swapped_bytes(self.root),
            throttled_seconds=throttled_seconds(self.root),
            thermal_events=counters.thermal_events(self.root),
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what NVML has not said so far, and why."""
        return self._nvml.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    seconds: Seconds
    cpu: counters.CpuTimes | None
    own_seconds: Seconds
    swapped_bytes: Bytes | None
    throttled_seconds: Seconds | None
    thermal_events: int | None


class _MachineWatch:
    def __init__(self, watcher: MachineWatcher, jobs: int, gpus: Sequence[GpuWatch] | None) -> None:
        self._watcher, self._jobs, self._gpus = watcher, jobs, gpus
        self._load, self._limits = os.getloadavg()[0], read_limits(watcher.root)
        self._looking = ExitStack()
        self._sampler: Sampler[Hertz | None] | None = None
        if gpus or counters.cpu_clock(watcher.root) is not None:
            self._sampler = self._looking.enter_context(Sampler(self._look, watcher.period_seconds, watcher.now))
        self._before = watcher.read()

    def end(self, *, threads: int | None) -> Conditions:
        before, after = self._before, self._watcher.read()
        for gpu in self._gpus or ():
            gpu.expect_no_child()
        self._looking.close()
        clocks = [clock for _, clock in self._sampler.samples if clock is not None] if self._sampler else []
        conditions = Conditions(
            jobs=self._jobs,
            limits=self._limits,
            threads=threads,
            load_1min=self._load,
            steal_share=_steal_share(before, after),
            foreign_cpu_share=_foreign_share(before, after) if self._jobs == 1 else None,
            seconds=after.seconds - before.seconds,
            swapped_bytes=_difference(before.swapped_bytes, after.swapped_bytes),
            throttled_seconds=_difference(before.throttled_seconds, after.throttled_seconds),
            thermal_events=_difference(before.thermal_events, after.thermal_events),
            lowest_cpu_clock=min(clocks, default=None),
            highest_cpu_clock=max(clocks, default=None),
            gpus=None if self._gpus is None else tuple(gpu.conditions() for gpu in self._gpus),
            sampling=self._sampler.sampling() if self._sampler else None,
        )
        lacking = tuple(reason for name, reason in _NOT_COUNTED.items() if getattr(conditions, name) is None)
        return replace(conditions, missing=(*lacking, *self._watcher.missing))

    def _look(self) -> Hertz | None:
        for gpu in self._gpus or ():
            gpu.look()
        return counters.cpu_clock(self._watcher.root)


N = TypeVar("N", int, float)


def _difference(before: N | None, after: N | None) -> N | None:
    return None if before is None or after is None else after - before


def _steal_share(before: _Reading, after: _Reading) -> float | None:
    if before.cpu is None or after.cpu is None or before.cpu.steal is None or after.cpu.steal is None:
        return None
    total = after.cpu.total - before.cpu.total
    return (after.cpu.steal - before.cpu.steal) / total if total > 0 else None


def _foreign_share(before: _Reading, after: _Reading) -> float | None:
    if before.cpu is None or after.cpu is None:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    busy, total = after.cpu.busy - before.cpu.busy, after.cpu.total - before.cpu.total
    own = (after.own_seconds - before.own_seconds) * ticks
    return max(0.0, busy - own) / total if total > 0 else None


def _own_seconds() -> Seconds:
    # The launch server's children are only seen while it lives, so its tree is asked, not this process's rusage.
    own = psutil.Process()
    seconds = sum(own.cpu_times()[:4])
    for child in own.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(child.cpu_times()[:4])
    return float(seconds)
