"""What a quick look at one workload and arm says about the cost of its runs. For estimates only: never stored."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.strict import Strict
from evabench.units import Bytes, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProjection(Strict):
    """The largest batch that fits a device, by live tensors on fake ones: no batch of that size was made."""

    largest: int | None  # 0: not one sample fits; None: the bytes of a step do not depend on the batch
    free_bytes: Bytes  # of the device, without a data set that lies on it whole
    plain_optimizer: bool = False  # SGD stands in: the arm's own optimizer does not run on fake tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Strict):
    """Bytes on tensors without data, or the seconds of a few real steps."""

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["probe"] = "probe"
    peak_bytes: Bytes | None = None  # of live tensors in a step, on fake tensors; None: not looked for, or not possible
    plain_optimizer: bool = False  # SGD stands in: the arm's own optimizer does not run on fake tensors
    set_up_seconds: Seconds | None = None  # model, data and optimizer
    step_seconds: tuple[Seconds, ...] = ()  # the first one creates the state, and refreshes
    held_out_seconds: Seconds | None = None  # of a forward pass, for one sample
    on_noise: bool = False  # the steps were made on noise of the right shape
    rss_high_water_bytes: Bytes | None = None  # of the whole process
    batch: BatchProjection | None = None  # None: not asked for, or not possible
