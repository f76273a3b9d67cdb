"""A training curve."""

from dataclasses import dataclass
from typing import Literal

from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The validation loss after `step` steps, and the training clock at that moment."""

    step: int
    seconds: Seconds  # of training: the clock is paused in evaluations
    validation_loss: float | None  # None: not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """A run to its budget, or to where its loss was no longer finite."""

    measured: Literal["convergence"] = "convergence"
    evaluations: tuple[Evaluation, ...]
    training_losses: tuple[float | None, ...]  # of each step's own batch, before the step; None: not finite
    test_loss: float | None  # evaluated once, at the end of the budget; None: the run did not get there
    budget_steps: int

    @property
    def final_validation_loss(self) -> float | None:
        """Return the loss at the end of the budget, None where the run did not get there."""
        last = self.evaluations[-1] if self.evaluations else None
        return last.validation_loss if last and last.step == self.budget_steps else None
