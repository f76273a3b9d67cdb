"""Memory of a training step, in bytes that can be counted."""

from dataclasses import dataclass
from typing import Literal

from evabench.records.device_memory import DeviceMemory
from evabench.units import Bytes

Phase = Literal["forward", "backward", "optimizer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBytes:
    """A moment of a step."""

    phase: Phase
    live_bytes: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakBytes:
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
class Memory:
    """Exact bytes of the state, and the exact peak of live tensor storages in a steady step."""

    measured: Literal["memory"] = "memory"
    num_parameters: int
    parameter_bytes: Bytes
    state_bytes: Bytes  # every tensor of the optimizer's state, each storage once
    curvature_state_bytes: Bytes  # state beyond the momentum (or first moment)
    peak: PeakBytes
    peak_phase: Phase
    peak_layer: str | None  # None: in the optimizer's step, or between two layers
    timeline: tuple[LiveBytes, ...]  # over the step, thinned; the peak is among them
    allocator_peak_bytes: Bytes | None  # of the CPU allocator in such a step; None: on another device
    workspace_bytes: Bytes | None  # inside the operator where the allocator peaked
    workspace_operator: str | None  # that operator; None: it peaked outside any
    rss_high_water_bytes: Bytes | None  # VmHWM of the whole process, the interpreter and torch included
    device: DeviceMemory | None = None  # None: a run from before it was read
