"""A user's own model and data: what the factory that a suite names has to return."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from torch import Tensor, nn

from evabench.records.trivial import TrivialLevel
from evabench.workloads.objectives import Totals
from evabench.workloads.trivial import class_prior_levels

Loss = Callable[[Tensor, Tensor], Tensor]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A model with initial weights, a mean loss, and three splits as (inputs, targets) of equal length.

    `kind` says which scores are reported besides the loss: "classification" counts `outputs.argmax(1) == targets`.
    `trivial_losses` says what a constant predictor reaches, {"the mean target": 0.41} for instance: a run that ends
    there is said to have learned nothing. Left out where the loss is torch's `cross_entropy` of classes: that is known.
    """

    model: nn.Module
    loss: Loss
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    kind: Literal["classification", "other"] = "other"
    # What predictors that have learned nothing reach on the validation split, by a name for people.
    trivial_losses: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a split that is empty, or whose inputs and targets do not belong together."""
        for name in ("train", "validation", "test"):
            inputs, targets = getattr(self, name)
            if not len(inputs) or len(inputs) != len(targets):
                raise ValueError(
                    f"{name} has {len(inputs)} inputs and {len(targets)} targets: give as many, and one at least"
                )
        stated: Mapping[str, Any] = self.trivial_losses  # by somebody else's code
        for name, loss in stated.items():
            if not isinstance(loss, int | float) or not math.isfinite(loss):
                raise ValueError(f'trivial_losses: "{name}" must be a finite number, got {loss!r}')

    def trivial_levels(self) -> tuple[TrivialLevel, ...]:
        """Return what the task states, or, of classes under torch's own loss, what their shares reach."""
        if self.trivial_losses:
            return tuple(TrivialLevel(name=name, validation_loss=loss) for name, loss in self.trivial_losses.items())
        train, validation = self.train[1], self.validation[1]
        if self.kind == "other" or self.loss is not nn.functional.cross_entropy or train.is_floating_point():
            return ()
        return class_prior_levels(train, validation, int(max(train.max(), validation.max())) + 1)


@final
@dataclass(frozen=True, slots=True)
class OwnObjective:
    """The loss of a task."""

    task: Task

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss that is trained on."""
        return self.task.loss(outputs, targets)

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Add a held-out batch."""
        correct = (outputs.argmax(dim=1) == targets).sum() if self.task.kind == "classification" else None
        totals.add(self.loss(outputs, targets), len(targets), correct=correct)
