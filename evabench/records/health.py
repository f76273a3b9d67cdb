"""What went wrong, or was left out, while an optimizer ran."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Strict):
    """Counts since the optimizer was made. Reading it waits for the device: never inside a timed part."""

    num_layers: int
    layers_without_statistics: tuple[str, ...]  # they took plain gradient steps
    why_plain: Mapping[str, str] = field(default_factory=dict)  # layers that took the last one so -> the reason
    num_escalations: int = 0  # factorisations that needed more damping than the settings ask for
    num_failures: int = 0  # factorisations that failed even so; the previous root, or the gradient itself, was used
    num_stale_refreshes: int = 0  # layers at a refresh whose statistics of this step were missing or not finite
    num_waiting_refreshes: int = 0  # refreshes in which the host waited for the device
    skipped_steps: Mapping[str, int] = field(default_factory=dict)  # by the layer whose gradient was not finite
