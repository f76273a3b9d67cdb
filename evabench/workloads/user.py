"""A user's own model and data: what the factory that a suite names has to return."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

from torch import Tensor, nn

from evabench.workloads.objectives import Totals

Loss = Callable[[Tensor, Tensor], Tensor]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A model with initial weights, a mean loss, and three splits as (inputs, targets) of equal length.

    `kind` says which scores are reported besides the loss: "classification" counts `outputs.argmax(1) == targets`.
    """

    model: nn.Module
    loss: Loss
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    kind: Literal["classification", "other"] = "other"

    def __post_init__(self) -> None:
        """Refuse a split that is empty, or whose inputs and targets do not belong together."""
        for name in ("train", "validation", "test"):
            inputs, targets = getattr(self, name)
            if not len(inputs) or len(inputs) != len(targets):
                raise ValueError(
                    f"{name} has {len(inputs)} inputs and {len(targets)} targets: give as many, and one at least"
                )


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
