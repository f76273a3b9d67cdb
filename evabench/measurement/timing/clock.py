"""The clock of a timing visit: warm-up, then one block of whole cycles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, sqrt
from statistics import median
from time import perf_counter_ns, process_time
from typing import ClassVar, Protocol

from evabench.measurement.timing.side_work import SideWorkWatch
from evabench.measurement.timing.speed import Speed, unknown_speed
from evabench.measurement.watch.processes import ProcessWatch
from evabench.records.checks import VisitChecks
from evabench.records.measurement import StepTimeSettings, WarmUpSettings
from evabench.records.step_time import StepTime, WarmUp
from evabench.units import Hertz, Seconds

_SECONDS_TO_SPEED = 1.0  # NVML renews what it says of a clock some ten times per second

Step = Callable[[], None]  # one whole training step, its batch at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedBlock:
    """Steps in a row, synchronised at the two ends only."""

    step_seconds: tuple[Seconds, ...]
    block_seconds: Seconds  # wall time
    host_seconds: Seconds | None  # until the host had queued every step; None on a CPU, which queues nothing


class Clock(Protocol):
    """What times steps."""

    def time_steps(self, step: Step, num_steps: int) -> TimedBlock:
        """Return the seconds of so many steps."""

    def latencies(self, step: Step, num_steps: int) -> tuple[Seconds, ...] | None:
        """Return the seconds of each step with the device awaited behind it; None where there is no device."""

    @property
    def has_latencies(self) -> bool:
        """Return whether there is a device to wait for."""


@dataclass(frozen=True, slots=True)
class CpuClock:
    """Reads the monotonic clock; on a CPU a step has ended when it returns."""

    has_latencies: ClassVar[bool] = False
    now: Callable[[], int] = perf_counter_ns

    def time_steps(self, step: Step, num_steps: int) -> TimedBlock:
        """Return the seconds of each of `num_steps` steps; they add up to the wall time of the whole block.

        Between two steps lies one reading of the clock and one list store, nothing else: neighbours share a reading.
        """
        now = self.now
        readings = [0] * (num_steps + 1)
        readings[0] = now()
        for index in range(1, num_steps + 1):
            step()
            readings[index] = now()
        step_seconds = tuple((end - start) / 1e9 for start, end in pairwise(readings))
        return TimedBlock(step_seconds=step_seconds, block_seconds=sum(step_seconds), host_seconds=None)

    def latencies(self, step: Step, num_steps: int) -> None:
        """Return None: on a CPU nothing is synchronised, and a step's latency is its time."""


class Moment(Protocol):
    """What a training run can be taken back to."""

    def keep(self) -> None:
        """Remember how everything is now."""

    def rewind(self) -> None:
        """Put everything back to how it was then."""


def time_visit(
    step: Step,
    clock: Clock,
    settings: StepTimeSettings,
    cycle_steps: int,
    warmup_steps: int,
    moment: Moment | None = None,
) -> StepTime:
    """Return the step times of one visit.

    Each block begins at the moment behind the warm-up, and one cycle that is not timed: what puts the moment back
    leaves the caches cold. Without a moment the blocks follow each other.
    """
    if warmup_steps % cycle_steps:
        raise ValueError(f"a warm-up of {warmup_steps} steps is no whole number of cycles of {cycle_steps}")
    for _ in range(warmup_steps):
        step()
    if moment is not None:
        moment.keep()
    num_steps = settings.block_steps(cycle_steps)
    _go_back(step, cycle_steps, moment)
    processes = ProcessWatch()
    watch = SideWorkWatch()
    before = process_time()
    block = clock.time_steps(step, num_steps)
    cpu_seconds = process_time() - before
    side_work = watch.end(block.block_seconds, num_steps)
    checks = VisitChecks(cpu_seconds=cpu_seconds, processes=processes.found())
    latency_seconds = None
    if clock.has_latencies:
        _go_back(step, cycle_steps, moment)
        latency_seconds = clock.latencies(step, num_steps)
    return StepTime(
        step_seconds=block.step_seconds,
        block_seconds=(block.block_seconds,),
        latency_seconds=latency_seconds,
        cycle_steps=cycle_steps,
        warmup_steps=warmup_steps,
        side_work=side_work,
        checks=checks,
        cpu_seconds=(cpu_seconds,),
        host_seconds=None if block.host_seconds is None else (block.host_seconds,),
    )


def find_warm_up(
    step: Step, clock: Clock, settings: WarmUpSettings, cycle_steps: int, speed: Speed = unknown_speed
) -> WarmUp:
    """Run windows of whole cycles until two neighbours agree, or the time is up.

    Two windows agree when their medians differ by less than `tolerance` or by less than two robust standard errors of
    their difference, whichever is larger, and the clock of the device is the same behind both. A GPU has a second at
    least to bring its clock up. The steps before the second window are the warm-up.
    """
    window_steps = -(-max(settings.min_window_steps, cycle_steps) // cycle_steps) * cycle_steps
    medians: list[float] = []
    errors: list[float] = []
    speeds: list[Hertz | None] = []
    spent = 0.0
    first_step = None
    steady_after = None
    while steady_after is None and spent < settings.max_seconds:
        window = clock.time_steps(step, window_steps).step_seconds
        spent += sum(window)
        first_step = window[0] if first_step is None else first_step
        medians.append(median(window))
        errors.append(_standard_error(window))
        speeds.append(speed())
        is_settled = _is_settled(speeds, spent, settings.tolerance)
        if len(medians) > 1 and is_settled and _agree(medians, errors, settings.tolerance):
            steady_after = window_steps * (len(medians) - 1)
    return WarmUp(
        window_steps=window_steps,
        window_median_seconds=tuple(medians),
        steady_after_steps=steady_after,
        first_step_seconds=first_step,
    )


def _agree(medians: list[float], errors: list[float], tolerance: float) -> bool:
    difference = abs(medians[-1] - medians[-2])
    error = hypot(errors[-1], errors[-2])
    return difference < max(tolerance * medians[-2], 2 * error)


def _is_settled(speeds: Sequence[Hertz | None], spent: Seconds, tolerance: float) -> bool:
    before, now = speeds[-2:] if len(speeds) > 1 else (None, speeds[-1])
    if now is None:
        return True
    return spent >= _SECONDS_TO_SPEED and before is not None and abs(now - before) <= tolerance * before


def _standard_error(values: tuple[float, ...]) -> float:
    # Of a median: sqrt(pi / 2) sigma / sqrt(n), with sigma = 1.4826 MAD.
    centre = median(values)
    return 1.2533 * 1.4826 * median(abs(value - centre) for value in values) / sqrt(len(values))


def _go_back(step: Step, cycle_steps: int, moment: Moment | None) -> None:
    if moment is not None:
        moment.rewind()
        for _ in range(cycle_steps):
            step()
