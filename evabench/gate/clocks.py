"""The clocks of a GPU while a gate times on it: locked, or how much they differ within a pair.

A clock that follows heat and power gives the side that comes second another machine. Each visit has the median of its
samples in which the GPU was not idle; two neighbouring visits are a pair. Where the clocks were not locked, the
two-sided 99 % interval of head / base is held against the tolerance of the negative control: wholly beyond 2 %, no
timed answer counts.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread

from evabench.gate.pairs import Side
from evabench.nvml.devices import Device
from evabench.nvml.library import Nvml
from evabench.nvml.visible import visible_devices
from evabench.settings.strict import Strict
from evabench.stats.trimmed import trimmed_mean
from evabench.units import Hertz, Seconds

PERIOD: Seconds = 0.02
_LOCKED, _TOLERANCE, _ALPHA, _MIN_PAIRS = 0.01, 0.02, 0.005, 9
_IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitClock(Strict):
    """The clock of the multiprocessors in one visit."""

    side: Side
    middle: Hertz
    lowest: Hertz
    highest: Hertz


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks(Strict):
    """What was seen of a GPU's clocks. Visits stand in the order in which they were made: two of them are a pair."""

    device: str
    visits: tuple[VisitClock, ...] = ()
    limits: tuple[str, ...] = ()  # what held them down at some time, in words
    reason: str | None = None  # why they could not be read

    @property
    def locked(self) -> bool:
        """Return whether no sample differs from another one by 1 %."""
        return max(one.highest for one in self.visits) <= (1 + _LOCKED) * min(one.lowest for one in self.visits)

    @property
    def drifts(self) -> tuple[float, ...]:
        """Return log(head / base) of each pair."""
        found = []
        for first, second in zip(self.visits[::2], self.visits[1::2], strict=False):
            sign = 1 if first.side == "base" else -1
            found.append(sign * math.log(second.middle / first.middle))
        return tuple(found)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the two-sided 99 % interval of head / base, less 1; None below 9 pairs."""
        if len(self.drifts) < _MIN_PAIRS:
            return None
        found = trimmed_mean(self.drifts)
        return math.expm1(found.lower_bound(_ALPHA)), math.expm1(found.upper_bound(_ALPHA))

    @property
    def valid(self) -> bool:
        """Return whether both sides had the same clocks, as far as that is known."""
        interval = self.interval
        return interval is None or (interval[0] <= _TOLERANCE and interval[1] >= -_TOLERANCE)


class ClockWatch:
    """Samples the clocks of one GPU during visits."""

    def __init__(self, device: Device | None, reason: str) -> None:
        self._device, self._reason = device, reason
        self._visits: list[VisitClock] = []
        self._limits: dict[str, None] = {}

    @contextmanager
    def visit(self, side: Side) -> Iterator[None]:
        """Watch one visit."""
        device = self._device
        if device is None:
            yield
            return
        samples: list[tuple[Hertz, bool]] = []
        over = Event()
        thread = Thread(target=self._sample, args=(device, samples, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        clocks = [clock for clock, idle in samples if not idle] or [clock for clock, _ in samples]
        if not clocks:
            self._device, self._reason = None, " ".join(device.nvml.missing) or "no clock was read"
            self._visits.clear()  # without one of its visits no pair is whole
            return
        self._visits.append(VisitClock(side=side, middle=median(clocks), lowest=min(clocks), highest=max(clocks)))

    def clocks(self) -> Clocks:
        """Return what was seen."""
        return Clocks(
            device=self._device.title if self._device else "the GPU",
            visits=tuple(self._visits),
            limits=tuple(self._limits),
            reason=None if self._visits else self._reason,
        )

    def _sample(self, device: Device, samples: list[tuple[Hertz, bool]], over: Event) -> None:
        last = False
        while not last:
            last = over.wait(PERIOD)
            clock, limits = device.sm_clock(), device.clock_limits() or ()
            if clock is not None:
                samples.append((clock, _IDLE in limits))
            self._limits |= dict.fromkeys(one for one in limits if one != _IDLE)


@contextmanager
def watched_clocks(kind: str, index: int, environment: Mapping[str, str]) -> Iterator[ClockWatch | None]:
    """Give what watches the GPU that a gate times on; None where it times on none of CUDA's."""
    with Nvml() if kind == "cuda" else nullcontext() as nvml:
        if nvml is None:
            yield None
            return
        devices = visible_devices(nvml, environment) or ()
        reason = " ".join(nvml.missing) or f"NVML shows no GPU of the number {index}"
        yield ClockWatch(devices[index] if index < len(devices) else None, reason)
