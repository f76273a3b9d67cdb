"""What a model is trained for, and the scores that are reported: loss, accuracy, bits per byte."""

import math
from dataclasses import dataclass
from typing import Protocol, final

from torch import Tensor, nn

from evabench.records.convergence import Scores


@dataclass(slots=True)
class Totals:
    """Sums over held-out samples; None where an objective has no such thing."""

    loss: float = 0.0
    weight: int = 0  # what the loss is a mean over
    correct: int | None = None
    num_bytes: int | None = None

    def add(self, loss: Tensor, weight: int, correct: Tensor | None = None, num_bytes: int | None = None) -> None:
        """Add the mean loss of a batch that weighs so much, its correct answers and its bytes."""
        self.loss += float(loss) * weight
        self.weight += weight
        if correct is not None:
            self.correct = (self.correct or 0) + int(correct)
        if num_bytes is not None:
            self.num_bytes = (self.num_bytes or 0) + num_bytes

    def scores(self) -> Scores:
        """Return the means. The loss may be NaN or infinite here; the record says None for it."""
        return Scores(
            loss=self.loss / self.weight,
            accuracy=None if self.correct is None else self.correct / self.weight,
            bits_per_byte=None if self.num_bytes is None else self.loss / math.log(2) / self.num_bytes,
        )


class Objective(Protocol):
    """A training loss, and the sums of held-out batches."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss that is trained on."""
        ...

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Add a held-out batch."""
        ...


@final
class Reconstruction:
    """Mean squared error over batch and values, as the authors' scripts do."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over everything."""
        return nn.functional.mse_loss(outputs, targets)

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Weigh a batch by its samples."""
        totals.add(self.loss(outputs, targets), len(targets))


@final
@dataclass(frozen=True, slots=True)
class Classification:
    """Cross-entropy; smoothing acts on the training loss alone. Mixed targets are [batch, classes] shares."""

    label_smoothing: float = 0.0

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over the batch."""
        return nn.functional.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Count the right answers, ties to the lowest class."""
        loss = nn.functional.cross_entropy(outputs, targets)
        totals.add(loss, len(targets), correct=(outputs.argmax(dim=1) == targets).sum())


@final
@dataclass(frozen=True, slots=True)
class NextToken:
    """Cross-entropy of the next token, in nats per token; held-out text is scored in bits per byte too.

    `token_bytes` [vocabulary] is the length of each token, None where a token is a byte.
    """

    token_bytes: Tensor | None = None

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over batch and positions of outputs [batch, context, vocabulary]."""
        return nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def add(self, totals: Totals, outputs: Tensor, targets: Tensor) -> None:
        """Weigh a batch by its tokens."""
        num_bytes = targets.numel() if self.token_bytes is None else int(self.token_bytes[targets].sum())
        totals.add(self.loss(outputs, targets), targets.numel(), num_bytes=num_bytes)
