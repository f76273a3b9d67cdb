"""Energy of a step: counters over a window of at least 1 s, against the integral of the sampled power.

Counters move every 20 to 100 ms, so a short window reads 0 J or 200 %; a window of its own, of whole refresh cycles,
also keeps the side thread that samples the power away from the timed block. A counter that moves seldom is read between
its first and its last change inside the window. The power that NVML gives is the mean of the last second, so that on a
GPU the same steps run for that long before the window.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from time import perf_counter
from typing import Protocol

import torch

from evabench.measurement.device import synchronize, uuid_of
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.nvml.devices import Device, device_of_uuid
from evabench.nvml.library import Nvml
from evabench.records.energy import Energy, EnergyReading, EnergySource
from evabench.sampling import Sampler
from evabench.units import Joules, Seconds, Watts

MIN_WINDOW_SECONDS = 1.0
SETTLING_SECONDS = 1.1  # of NVML's power, a mean over a second that is renewed every 100 ms
_PERIOD_SECONDS = 0.025  # counters and power readings are renewed every 20 to 100 ms

_Sample = tuple[tuple[Joules | None, Watts | None], ...]  # one pair per source


class EnergyCounter(Protocol):
    """Something that counts joules."""

    @property
    def source(self) -> EnergySource:
        """Return whose energy it is."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return why a reading was None."""

    def joules(self) -> Joules | None:
        """Return a count that only grows."""

    def power(self) -> Watts | None:
        """Return the power drawn now."""


@dataclass(slots=True)
class NvmlEnergy:
    """The counter of a GPU."""

    device: Device
    source: EnergySource = field(default="gpu", init=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return why a reading was None."""
        return self.device.nvml.missing

    def joules(self) -> Joules | None:
        """Return the energy since the driver was loaded."""
        return self.device.energy()

    def power(self) -> Watts | None:
        """Return the power drawn now."""
        return self.device.power()


def measure_energy_on(device: torch.device, step: Callable[[], None], cycle_steps: int, cpu: RaplEnergy) -> Energy:
    """Return the energy of steps on a device: of the CPU where it is readable, and of the GPU that trains."""
    counters: list[EnergyCounter] = [cpu] if cpu.readable else []
    lacking = cpu.missing
    wait: Callable[[], None] = _nothing
    settling = 0.0
    with ExitStack() as stack:
        if device.type != "cpu":
            wait = lambda: synchronize(device)  # noqa: E731
        if (uuid := uuid_of(device)) is not None:
            nvml = stack.enter_context(Nvml())
            gpu = device_of_uuid(nvml, uuid)
            counters += [NvmlEnergy(gpu)] if gpu else []
            lacking += nvml.missing
            settling = SETTLING_SECONDS
        if not counters:
            return Energy(seconds=None, num_steps=0, readings=(), sampling=None, missing=lacking)
        energy = measure_energy(step, cycle_steps, counters, synchronize=wait, settling_seconds=settling)
    return replace(energy, missing=tuple(dict.fromkeys((*lacking, *energy.missing))))


def measure_energy(
    step: Callable[[], None],
    cycle_steps: int,
    counters: Sequence[EnergyCounter],
    *,
    synchronize: Callable[[], None],
    now: Callable[[], Seconds] = perf_counter,
    period_seconds: Seconds = _PERIOD_SECONDS,
    settling_seconds: Seconds = 0.0,
) -> Energy:
    """Run whole cycles until the window is long enough, and return what each counter said about it.

    Before the window the same cycles run for `settling_seconds`.
    """
    num_steps = 0

    def read() -> _Sample:
        return tuple((counter.joules(), counter.power()) for counter in counters)

    def cycle() -> None:
        for _ in range(cycle_steps):
            step()
        synchronize()

    sampler = Sampler(read, period_seconds, now)
    synchronize()
    begun = now()
    while now() - begun < settling_seconds:
        cycle()
    with sampler:
        begun = sampler.samples[0][0]
        while now() - begun < MIN_WINDOW_SECONDS:
            cycle()
            num_steps += cycle_steps
    return energy_of_samples(sampler, counters, num_steps)


def energy_of_samples(sampler: Sampler[_Sample], counters: Sequence[EnergyCounter], num_steps: int) -> Energy:
    """Return the energy between the first and the last sample."""
    times = [when for when, _ in sampler.samples]
    seconds = times[-1] - times[0]
    readings, missing = [], []
    for index, counter in enumerate(counters):
        counts = [values[index][0] for _, values in sampler.samples]
        joules, reason = _difference(counter.source, counts[0], counts[-1], seconds)
        if joules is not None:
            joules = _between_changes(times, counts) or joules
        integral = _integral(times, [values[index][1] for _, values in sampler.samples])
        missing += [*reason, *counter.missing]
        if joules is not None or integral is not None:
            reading = EnergyReading(source=counter.source, counter_joules=joules, integral_joules=integral)
            readings.append(reading)
    return Energy(
        seconds=seconds,
        num_steps=num_steps,
        readings=tuple(readings),
        sampling=sampler.sampling(),
        missing=tuple(missing),
    )


def _difference(
    source: EnergySource, first: Joules | None, last: Joules | None, seconds: Seconds
) -> tuple[Joules | None, list[str]]:
    if first is None or last is None:
        return None, []
    if last > first:
        return last - first, []
    words = "stood still" if last == first else "went backwards"
    return None, [f"{source} energy: its counter {words} in a window of {seconds:.3g} s."]


def _between_changes(times: Sequence[Seconds], counts: Sequence[Joules | None]) -> Joules | None:
    """Return the window's energy at the mean power between the first and the last change of a counter.

    The edges of the window would count up to a renewal too much or too little. None where the counter stood still
    between fewer than half of the samples, so that its edges are short, or changed less than three times.
    """
    changed = [index for index in range(1, len(counts)) if counts[index] != counts[index - 1]]
    if len(changed) < 3 or 2 * len(changed) > len(counts) - 1:
        return None
    first, last = changed[0], changed[-1]
    start, end = counts[first], counts[last]
    if start is None or end is None or end <= start:
        return None
    return (end - start) / (times[last] - times[first]) * (times[-1] - times[0])


def _integral(times: Sequence[Seconds], watts: Sequence[Watts | None]) -> Joules | None:
    points = list(zip(times, watts, strict=True))
    if any(power is None for power in watts):  # a gap would be filled by guessing
        return None
    return sum(
        (later - earlier) * (one + other) / 2
        for (earlier, one), (later, other) in pairwise(points)
        if one is not None and other is not None
    )


def _nothing() -> None:
    """Wait for nothing: on a CPU a step has ended when it returns."""
