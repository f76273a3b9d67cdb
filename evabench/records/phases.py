"""Where the time of a step goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import ClassVar, Literal, get_args

from evabench.settings.strict import Strict
from evabench.units import Seconds

PhaseName = Literal[
    "forward",
    "backward",
    "capture",  # statistics: hooks, and the running averages
    "communicate",  # between ranks
    "refresh",  # inverses, roots, eigendecompositions
    "precondition",
    "update",  # momentum, weight decay, parameters
    "fused",  # precondition and update of an optimizer that does not tell them apart
    "zero_grad",  # outside `step`, so that nothing hides there
    "other",
]
PHASES: tuple[PhaseName, ...] = get_args(PhaseName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases(Strict):
    """Steps with marks, and as many without, in alternating cycles of one run.

    The parts of a step are exclusive and add up to it exactly.
    """

    divergence: ClassVar[None] = None  # its loss is not looked at

    measured: Literal["phases"] = "phases"
    cycle_steps: int
    steps: tuple[Mapping[PhaseName, Seconds], ...]  # one per marked step, in order; position 0 of a cycle refreshes
    plain_seconds: tuple[Seconds, ...]  # the steps without marks, in order
    # Of the arm's own learning rate: less than 1 where its loss diverged. None: a run of before, at a thousandth.
    rate_share: float | None = None

    @property
    def amortised(self) -> dict[PhaseName, Seconds]:
        """Return each part's share of a step, refreshes included: medians by position of the cycle, then their mean."""
        return {
            name: fmean(
                median(step.get(name, 0.0) for step in self.steps[position :: self.cycle_steps])
                for position in range(self.cycle_steps)
            )
            for name in PHASES
            if any(name in step for step in self.steps)
        }

    @property
    def step_seconds(self) -> tuple[Seconds, ...]:
        """Return the whole time of each marked step."""
        return tuple(sum(step.values()) for step in self.steps)

    @property
    def marked_over_plain(self) -> tuple[float, ...]:
        """Return the time of each cycle with marks over that of the cycle without beside it."""
        return tuple(
            sum(self.step_seconds[start : start + self.cycle_steps])
            / sum(self.plain_seconds[start : start + self.cycle_steps])
            for start in range(0, len(self.steps), self.cycle_steps)
        )
