"""Step times: of a timing visit, and of the pilot that fixes its warm-up."""

from dataclasses import dataclass
from statistics import median
from typing import ClassVar, Literal

from evabench.records.checks import PassesAlone, VisitChecks
from evabench.records.energy import Energy
from evabench.records.side_work import SideWork
from evabench.settings.strict import Strict
from evabench.units import Seconds

_MAX_CLOCK_DISAGREEMENT = 0.02
# Of a step. A host that runs ahead leaves the device more than that to do when it has queued the last step.
_MAX_LAG = 0.1
# What a full launch queue holds at least: a step longer than the queue leaves no more than the queue to do. On an H100
# that were 1,017 launches, of some 5 us at least; steps that waited for the host left 1.2 ms at most.
_QUEUE_SECONDS = 4e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime(Strict):
    """One visit: whole refresh cycles after a warm-up, synchronised only at the ends of a block."""

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["step_time"] = "step_time"
    step_seconds: tuple[Seconds, ...]  # every step of the blocks, in order; position 0 of a cycle refreshes
    block_seconds: tuple[Seconds, ...]  # wall time of each block
    latency_seconds: tuple[Seconds, ...] | None  # each step synchronised; None on a CPU: nothing to synchronise
    cycle_steps: int
    warmup_steps: int  # discarded before the first block
    energy: Energy | None = None  # of a window behind the blocks; None: a run from before it was read
    side_work: SideWork | None = None  # None: as above, or torch has threads of its own here, which are no others'
    host_seconds: tuple[Seconds, ...] | None = None  # of each block, until all was queued; None on a CPU
    # CPU time of each block, of the whole process. None: as for `side_work`
    cpu_seconds: tuple[Seconds, ...] | None = None
    # Of the arm's own learning rate: less than 1 where its loss diverged. None: a run of before, at a thousandth.
    rate_share: float | None = None
    checks: VisitChecks | None = None  # what was watched beside the blocks; None: a run from before it was

    @property
    def clock_disagreement(self) -> float | None:
        """Return the device's events over the wall clock, less 1; None on a CPU, which has one clock."""
        return None if self.host_seconds is None else sum(self.step_seconds) / sum(self.block_seconds) - 1

    @property
    def in_doubt(self) -> bool:
        """Return whether the two clocks contradict each other by more than 2 %."""
        return self.clock_disagreement is not None and abs(self.clock_disagreement) > _MAX_CLOCK_DISAGREEMENT

    @property
    def host_bound(self) -> bool | None:
        """Return whether the device waited for the host: it was done as soon as the last step was queued.

        Such a step is as fast as Python, and says little about the optimizer's work; an optimizer that waits for the
        device at the end of a step looks the same. None on a CPU.
        """
        if self.host_seconds is None:
            return None
        lag = sum(self.block_seconds) - sum(self.host_seconds)
        return lag / len(self.host_seconds) < min(_MAX_LAG * self.amortised_seconds, _QUEUE_SECONDS)

    @property
    def amortised_seconds(self) -> Seconds:
        """Total wall time of the blocks over their number of steps: a step, with its share of a refresh."""
        return sum(self.block_seconds) / len(self.step_seconds)

    @property
    def position_seconds(self) -> tuple[Seconds, ...]:
        """Median time of each position of the cycle."""
        return tuple(median(self.step_seconds[position :: self.cycle_steps]) for position in range(self.cycle_steps))

    @property
    def refresh_seconds(self) -> Seconds | None:
        """Median of the steps that refresh; None where every step is alike."""
        return self.position_seconds[0] if self.cycle_steps > 1 else None

    @property
    def plain_seconds(self) -> Seconds:
        """Median over the positions that do not refresh; where every step is alike, over all."""
        positions = self.position_seconds
        return median(positions[1:] if self.cycle_steps > 1 else positions)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp(Strict):
    """The pilot: median step time of consecutive windows, and where it became steady."""

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["warm_up"] = "warm_up"
    window_steps: int
    window_median_seconds: tuple[Seconds, ...]
    steady_after_steps: int | None  # whole cycles; None: not steady before the time was up
    # With what is made once: state, caches, compilation. In no other figure. None: a run from before it was read.
    first_step_seconds: Seconds | None = None
    rate_share: float | None = None  # as in a visit
    passes: PassesAlone | None = None  # None: a run from before, or a workload whose net cannot be built once more

    @property
    def discarded_steps(self) -> int:
        """Return the steps to discard: up to the steady window, or everything that was tried."""
        if self.steady_after_steps is not None:
            return self.steady_after_steps
        return self.window_steps * len(self.window_median_seconds)
