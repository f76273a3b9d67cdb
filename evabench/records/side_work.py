"""Work beside the step: CPU time that the wall time of a block need not hold."""

from dataclasses import dataclass

from evabench.settings.strict import Strict
from evabench.units import Seconds

# A process with one thread shows a few microseconds per block: the two clocks are not read at the same moment.
_MAX_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SideWork(Strict):
    """What other threads of the process than the one that trains computed while the timed blocks ran."""

    cpu_seconds: Seconds
    block_seconds: Seconds  # wall time of the blocks
    num_steps: int
    num_threads: int | None  # that ran, at least: those that have ended count as one; None: the system does not say

    @property
    def cpu_seconds_per_step(self) -> Seconds:
        """Return the CPU time beside a step."""
        return self.cpu_seconds / self.num_steps

    @property
    def suspicious(self) -> bool:
        """Return whether it is more than 1 % of the wall time: the step time does not tell the whole cost."""
        return self.cpu_seconds > _MAX_SHARE * self.block_seconds
