"""What the machine was doing while a run was made, as it was read. `disturbances` decides what disturbs a timing."""

from dataclasses import dataclass

from evabench.records.limits import Limits
from evabench.records.sampling import Sampling
from evabench.settings.strict import Strict
from evabench.units import Bytes, Hertz, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuConditions(Strict):
    """One GPU (or slice) that the run could see, sampled while it ran."""

    uuid: str
    foreign_processes: int | None  # most at once; None: its processes cannot be read or told apart
    clock_limits: tuple[str, ...] | None  # everything that held its clocks down at some time, in words
    lowest_sm_clock: Hertz | None
    highest_sm_clock: Hertz | None
    max_sm_clock: Hertz | None  # that it can have


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions(Strict):
    """Of the whole machine, from before the child was made until it had ended."""

    jobs: int  # runs that were made at the same time, this one included
    threads: int | None  # that torch used; None: the child did not get so far
    load_1min: float  # when the run began; earlier runs of our own are in it
    steal_share: float | None  # of CPU time, while the run was made; None where the system does not count it
    foreign_cpu_share: float | None  # of this machine's CPU time, spent by others than evabench
    seconds: Seconds | None = None  # that were watched; this and what follows is None in runs from before it was read
    swapped_bytes: Bytes | None = None  # read from and written to swap
    throttled_seconds: Seconds | None = None  # in which the CPU limit of a control group stopped us, over all CPUs
    thermal_events: int | None = None  # of the CPUs: times that heat brought a clock down
    lowest_cpu_clock: Hertz | None = None  # mean over the CPUs, sampled
    highest_cpu_clock: Hertz | None = None
    gpus: tuple[GpuConditions, ...] | None = None  # None: not known which the run could see
    sampling: Sampling | None = None  # None: nothing had to be sampled
    limits: Limits | None = None  # None: a run from before they were read
    missing: tuple[str, ...] = ()  # why something is None
