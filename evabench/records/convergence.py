"""A training curve, and the scores that it is made of."""

from dataclasses import dataclass
from typing import Literal

from evabench.records.checks import TrainingChecks
from evabench.records.trivial import TrivialLevel, level_reached
from evabench.settings.strict import Strict
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(Strict):
    """How good a model is on held-out samples. What a workload does not have is None."""

    loss: float  # mean, without label smoothing; of language in nats per token
    accuracy: float | None = None  # share of right answers
    bits_per_byte: float | None = None  # comparable between tokenisations, unlike the loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Strict):
    """The validation scores after `step` steps, and the training clock at that moment."""

    step: int
    seconds: Seconds  # of training: the clock is paused in evaluations
    validation_loss: float | None  # None: not finite
    validation_accuracy: float | None = None  # None: this workload has no classes
    validation_bits_per_byte: float | None = None  # None: this workload has no text, or the loss is not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence(Strict):
    """A run to its budget, or to where its loss was no longer finite."""

    measured: Literal["convergence"] = "convergence"
    evaluations: tuple[Evaluation, ...]
    training_losses: tuple[float | None, ...]  # of each step's own batch, before the step; None: not finite
    test_loss: float | None  # evaluated once, at the end of the budget; None: the run did not get there
    budget_steps: int
    test_accuracy: float | None = None
    test_bits_per_byte: float | None = None
    input_wait_seconds: Seconds | None = None  # of the training clock, waiting for batches; None: not measured then
    # Of the training clock, with what is made once: state, caches, compiled code. None: a run from before it was read.
    first_step_seconds: Seconds | None = None
    # The first step before which the optimizer had changed the rate that the schedule sets; None: it never did.
    rate_contested_at: int | None = None
    # What predictors without a net reach here; empty: the workload states none. None: a run from before it was read.
    trivial_levels: tuple[TrivialLevel, ...] | None = None
    # All together, in which the training clock stood still. None: as above.
    evaluation_seconds: Seconds | None = None

    # What was watched beside the training. What that took, with the trivial levels and the collector's first look; none
    # of it is in the training clock. None: as above.
    checks: TrainingChecks | None = None
    watch_seconds: Seconds | None = None

    @property
    def clock_seconds(self) -> Seconds:
        """Return the training clock at the last evaluation."""
        return self.evaluations[-1].seconds

    @property
    def input_wait_share(self) -> float | None:
        """Return the share of the training clock that went by waiting for batches; None: not measured."""
        if self.input_wait_seconds is None or self.clock_seconds == 0:
            return None
        return self.input_wait_seconds / self.clock_seconds

    @property
    def final_validation_loss(self) -> float | None:
        """Return the loss at the end of the budget, None where the run did not get there."""
        last = self.evaluations[-1] if self.evaluations else None
        return last.validation_loss if last and last.step == self.budget_steps else None

    @property
    def learned_nothing(self) -> TrivialLevel | None:
        """Return the trivial level at which the run ended; None: it is beyond all of them, or none is known."""
        return level_reached(self.trivial_levels or (), self.final_validation_loss)

    @property
    def divergence(self) -> str | None:
        """Return where the loss was no longer finite, as a sentence; None: the run got to its budget."""
        if self.final_validation_loss is not None:
            return None
        return f"the loss was no longer finite at step {self.evaluations[-1].step} of {self.budget_steps}"
