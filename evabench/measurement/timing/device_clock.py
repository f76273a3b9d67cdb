"""The clocks of an accelerator: events between the steps, or at the marks of their parts; the wall clock at both ends.

Nothing inside the block waits for the device, so the host runs ahead as it does in training; an event is a mark in the
stream that the device stamps when it gets there. On an H100 events and wall clock agreed within 0.3 %; the tests have
events made up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter_ns
from typing import Any, ClassVar

import torch

from evabench.measurement.device import synchronize
from evabench.measurement.timing.clock import Clock, CpuClock, Step, TimedBlock
from evabench.measurement.timing.phases import HostMarks, MarkClock
from evabench.units import Seconds


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """Times steps by the device's own events."""

    has_latencies: ClassVar[bool] = True
    new_event: Callable[[], Any]  # as `torch.Event(device, enable_timing=True)`
    synchronize: Callable[[], None]
    now: Callable[[], int] = perf_counter_ns

    def time_steps(self, step: Step, num_steps: int) -> TimedBlock:
        """Return the device's seconds of each step, beside the wall time of the block and the host's share of it."""
        events = [self.new_event() for _ in range(num_steps + 1)]
        self.synchronize()
        begun = self.now()
        events[0].record()
        for event in events[1:]:
            step()
            event.record()
        queued = self.now()
        self.synchronize()
        ended = self.now()
        return TimedBlock(
            step_seconds=tuple(start.elapsed_time(end) / 1e3 for start, end in pairwise(events)),
            block_seconds=(ended - begun) / 1e9,
            host_seconds=(queued - begun) / 1e9,
        )

    def latencies(self, step: Step, num_steps: int) -> tuple[Seconds, ...]:
        """Return the wall time of each step with the device awaited behind it."""
        self.synchronize()
        readings = [self.now()]
        for _ in range(num_steps):
            step()
            self.synchronize()
            readings.append(self.now())
        return tuple((end - start) / 1e9 for start, end in pairwise(readings))


@dataclass(frozen=True, slots=True)
class DeviceMarks:
    """Stamps marks by events in the current stream: a part is the time between two of them on the device.

    An idle device stamps at once, so that a part which keeps it waiting has the time that the host took for it. Work on
    another stream counts where the current one waits for it.
    """

    new_event: Callable[[], Any]  # as `DeviceClock`
    synchronize: Callable[[], None]

    def stamp(self) -> Any:
        """Return an event that the device stamps when it gets there; the host does not wait for it."""
        event = self.new_event()
        event.record()
        return event

    def wait(self) -> None:
        """Wait for the device."""
        self.synchronize()

    def nanoseconds(self, start: Any, end: Any) -> int:
        """Return the time between two events, which CUDA resolves to about 500 ns."""
        milliseconds: float = start.elapsed_time(end)
        return round(milliseconds * 1e6)


def clock_on(device: torch.device) -> Clock:
    """Return the clock of a device."""
    if device.type == "cpu":
        return CpuClock()
    return DeviceClock(new_event=lambda: _new_event(device), synchronize=lambda: synchronize(device))


def marks_on(device: torch.device) -> MarkClock:
    """Return the clock of the parts of a step on a device."""
    if device.type == "cpu":
        return HostMarks()
    return DeviceMarks(new_event=lambda: _new_event(device), synchronize=lambda: synchronize(device))


def _new_event(device: torch.device) -> Any:
    return torch.Event(device, enable_timing=True)
