"""A training run to its budget, the clock paused in every evaluation."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from torch import Tensor

from evabench.records.convergence import Convergence, Evaluation
from evabench.settings.measurement import ConvergenceSettings
from evabench.units import Seconds


@dataclass(slots=True)
class PausableClock:
    """Counts the seconds in which it runs."""

    now: Callable[[], Seconds] = perf_counter
    seconds: Seconds = 0.0
    _since: Seconds = field(default=0.0, init=False)

    def resume(self) -> None:
        """Let it run."""
        self._since = self.now()

    def pause(self) -> None:
        """Stop it; what passes now is not counted."""
        self.seconds += self.now() - self._since


def train_to_budget(
    step: Callable[[int], Tensor],
    validation_loss: Callable[[], float],
    test_loss: Callable[[], float],
    settings: ConvergenceSettings,
    clock: PausableClock,
) -> Convergence:
    """Train for the budget, or until a loss is no longer finite.

    `step(index)` trains once and returns the loss of its batch as a 0-d tensor, which is read only at evaluations, so
    that reading never waits for a device inside the timed part. Evaluations come at step 0, every `evaluate_every`
    steps and at the end of the budget.
    """
    losses: list[float | None] = []
    unread: list[Tensor] = []
    evaluations = [Evaluation(step=0, seconds=0.0, validation_loss=finite(validation_loss()))]
    clock.resume()
    for index in range(settings.steps):
        unread.append(step(index))
        done = index + 1
        if done % settings.evaluate_every and done != settings.steps:
            continue
        clock.pause()
        losses += [finite(float(loss)) for loss in unread]
        unread.clear()
        evaluations.append(Evaluation(step=done, seconds=clock.seconds, validation_loss=finite(validation_loss())))
        if None in losses or evaluations[-1].validation_loss is None:
            break
        clock.resume()
    reached = evaluations[-1].step == settings.steps and evaluations[-1].validation_loss is not None
    return Convergence(
        evaluations=tuple(evaluations),
        training_losses=tuple(losses),
        test_loss=finite(test_loss()) if reached else None,
        budget_steps=settings.steps,
    )


def finite(loss: float) -> float | None:
    """Return the loss, or None where it is not a finite number."""
    return loss if math.isfinite(loss) else None
