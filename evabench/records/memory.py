"""Memory of a training step, in bytes that can be counted."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.records.device_memory import DeviceMemory
from evabench.settings.strict import Strict
from evabench.units import Bytes

_PAGE_BYTES = 4096

Phase = Literal["forward", "backward", "optimizer"]  # the last: `step`, and `zero_grad` after it


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBytes(Strict):
    """A moment of a step."""

    phase: Phase
    live_bytes: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakBytes(Strict):
    """What was alive at the peak, by what it was."""

    parameters: Bytes  # and buffers
    gradients: Bytes
    activations: Bytes  # allocated in the forward pass: saved for backward, outputs, the loss
    optimizer_state: Bytes  # the momentum, or first moment
    statistics: Bytes  # state beyond it: the curvature state
    batch: Bytes  # the batch that is being trained on
    temporaries: Bytes  # allocated in the backward pass or in the optimizer's step, and not kept

    @property
    def total(self) -> Bytes:
        """Return the peak."""
        state = self.optimizer_state + self.statistics
        return self.parameters + self.gradients + self.activations + state + self.batch + self.temporaries


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(Strict):
    """Exact bytes of the state, and the exact peak of live tensor storages in a steady step."""

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["memory"] = "memory"
    num_parameters: int
    parameter_bytes: Bytes
    state_bytes: Bytes  # every tensor of the optimizer's state, each storage once
    curvature_state_bytes: Bytes  # state beyond the momentum (or first moment)
    peak: PeakBytes
    peak_phase: Phase
    peak_layer: str | None  # None: in the optimizer's step, or between two layers
    timeline: tuple[LiveBytes, ...]  # over the step, thinned; the peak is among them
    allocator_peak_bytes: Bytes | None  # of the allocator in such a step; None: nobody counted
    workspace_bytes: Bytes | None  # inside the operator where the allocator peaked
    workspace_operator: str | None  # that operator; None: it peaked outside any
    rss_high_water_bytes: Bytes | None  # VmHWM of the whole process, the interpreter and torch included
    tensors_there_bytes: Bytes | None = None  # live tensors in that operator: with its workspace the allocator's peak
    device: DeviceMemory | None = None  # None: a run from before it was read
    kept_bytes: Bytes | None = None  # by the allocator, in a warm refresh cycle, not given back; None: as above
    cycle_steps: int = 1
    # Of the arm's own learning rate: less than 1 where its loss diverged. None: a run of before, at a thousandth.
    rate_share: float | None = None

    @property
    def leak_bytes_per_step(self) -> float | None:
        """Return how much more is allocated after each step; None: not measured. A warm optimizer keeps nothing new."""
        return None if self.kept_bytes is None else self.kept_bytes / self.cycle_steps

    @property
    def leaks(self) -> bool:
        """Return whether that is more than a page per step."""
        return self.leak_bytes_per_step is not None and self.leak_bytes_per_step > _PAGE_BYTES
