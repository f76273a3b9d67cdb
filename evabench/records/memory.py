"""Memory of a training step, in bytes that can be counted."""

from dataclasses import dataclass
from typing import Literal

from evabench.units import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakBytes:
    """What was alive at the peak, by what it was."""

    parameters: Bytes
    gradients: Bytes
    activations: Bytes  # allocated in the forward pass: saved for backward, outputs, the loss
    optimizer_state: Bytes
    batch: Bytes  # the batch that is being trained on
    temporaries: Bytes  # allocated in the backward pass or in the optimizer's step, and not kept

    @property
    def total(self) -> Bytes:
        """Return the peak."""
        return (
            self.parameters + self.gradients + self.activations + self.optimizer_state + self.batch + self.temporaries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Exact bytes of the state, and the exact peak of live tensor storages in a steady step."""

    measured: Literal["memory"] = "memory"
    num_parameters: int
    parameter_bytes: Bytes
    state_bytes: Bytes  # every tensor of the optimizer's state, each storage once
    curvature_state_bytes: Bytes  # state beyond the momentum (or first moment)
    peak: PeakBytes
    peak_phase: Literal["forward", "backward", "optimizer"]
    rss_high_water_bytes: Bytes | None  # VmHWM of the whole process, the interpreter and torch included
