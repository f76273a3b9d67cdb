"""How often something was read in a side thread, and what that cost."""

from dataclasses import dataclass

from evabench.settings.strict import Strict
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling(Strict):
    """The period that was asked for beside the one that was kept."""

    period_seconds: Seconds  # asked for
    num_samples: int
    mean_gap_seconds: Seconds | None  # None: fewer than two samples
    longest_gap_seconds: Seconds | None  # what happened inside a gap was not seen
    busy_seconds: Seconds  # spent in reading, on a thread of its own
