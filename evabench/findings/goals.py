"""A value to reach, and the evaluation of a training run at which it was reached.

A run hits a goal at the first of two consecutive evaluations that are both at its value or better; one lucky
evaluation is not a hit, and a first hit at the last evaluation is a miss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evabench.records.convergence import Evaluation
from evabench.settings.targets import TargetMetric, number_hash


@dataclass(frozen=True, slots=True)
class Goal:
    """A value to reach: a loss at most, an accuracy at least."""

    value: float
    metric: TargetMetric = "loss"

    @property
    def hash(self) -> str:
        """Return what the judged runs of a goal that is a number carry."""
        return number_hash(self.metric, self.value)

    @property
    def number(self) -> str:
        """Return "0.07", "70 %"."""
        return f"{100 * self.value:g} %" if self.metric == "accuracy" else f"{self.value:g}"

    @property
    def words(self) -> str:
        """Return "validation loss 0.07", "validation accuracy 70 %"."""
        return f"validation {self.metric} {self.number}"

    def met_by(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation is at the value or better; what is not finite or not there never is."""
        if self.metric == "accuracy":
            return evaluation.validation_accuracy is not None and evaluation.validation_accuracy >= self.value
        return evaluation.validation_loss is not None and evaluation.validation_loss <= self.value


def first_hit(evaluations: Sequence[Evaluation], goal: Goal) -> Evaluation | None:
    """Return the evaluation at which the goal was hit, None for a miss.

    An evaluation before the first step is not of training and cannot hit.
    """
    trained = [evaluation for evaluation in evaluations if evaluation.step > 0]
    for first, second in pairwise(trained):
        if goal.met_by(first) and goal.met_by(second):
            return first
    return None


def hit_bracket(evaluations: Sequence[Evaluation], goal: Goal) -> tuple[int, int] | None:
    """Return the step of the last evaluation before the hit, 0 without any, and that of the hit; None for a miss."""
    hit = first_hit(evaluations, goal)
    if hit is None:
        return None
    return max((one.step for one in evaluations if one.step < hit.step), default=0), hit.step


def steps_to_target(evaluations: Sequence[Evaluation], goal: Goal) -> int | None:
    """Return the steps after which the goal was hit, None for a miss."""
    hit = first_hit(evaluations, goal)
    return hit.step if hit else None
