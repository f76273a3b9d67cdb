"""A workload: a model with its initial weights, an objective, and batches in an order that the seed alone draws.

Weights and batches have generators of their own, so neither depends on the optimizer or on how many random numbers it
draws: every arm with one seed starts from the same point and sees the same batches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evabench.records.convergence import Scores
from evabench.records.trivial import TrivialLevel
from evabench.units import Bytes
from evabench.workloads.journal import Journal
from evabench.workloads.loss_scaling import go_backward, make_step
from evabench.workloads.objectives import Objective, Totals

HeldOut = Literal["validation", "test"]


def no_levels() -> tuple[TrivialLevel, ...]:
    """Return that nothing is known about a predictor without a net."""
    return ()


class Batch(NamedTuple):
    """What a step is made on."""

    inputs: Tensor
    targets: Tensor  # the inputs themselves where they are to be reconstructed


class Source(Protocol):
    """Where batches come from."""

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield batches of one size without end; what each is made of is noted in the journal."""
        ...

    def held_out(self, split: HeldOut) -> Iterable[Batch]:
        """Yield every sample of a split once; the last batch may be smaller."""
        ...

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return what batches are taken from, by split, so that anybody may see whether it was changed."""
        ...

    @property
    def readers(self) -> frozenset[int]:
        """Return the processes that have read batches ahead."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that a run needs but the optimizer."""

    model: nn.Module
    objective: Objective
    source: Source
    trivial_levels: Callable[[], tuple[TrivialLevel, ...]] = no_levels  # computed when they are asked for
    autocast: torch.dtype | None = None  # of both passes; None: as model and batch have it
    scaler: torch.amp.GradScaler | None = None  # of the loss; None: it is not scaled
    forward: Callable[[Tensor], Tensor] | None = None  # the compiled model; None: the model itself
    resident_bytes: Bytes = 0  # of the data set, where it lies on an accelerator whole

    def batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield training batches without end."""
        return self.source.training_batches(journal)

    def loss(self, batch: Batch) -> Tensor:
        """Return the training loss of a batch, as a 0-d tensor to go backward from."""
        with self._precision(batch.inputs):
            return self.objective.loss(self.outputs(batch.inputs), batch.targets)

    def outputs(self, inputs: Tensor) -> Tensor:
        """Return what the model makes of inputs."""
        made: Tensor = (self.forward or self.model)(inputs)
        return made

    def backward(self, loss: Tensor) -> None:
        """Go backward from a loss, scaled where it is."""
        go_backward(loss, self.scaler)

    def step(self, optimizer: Optimizer) -> None:
        """Have the optimizer make its step, which a scaler may leave out."""
        make_step(optimizer, self.scaler)

    def validation(self) -> Scores:
        """Return the scores on the validation split."""
        return self._evaluate("validation")

    def test(self) -> Scores:
        """Return the scores on the test set: to be asked once, at the end of a run."""
        return self._evaluate("test")

    @torch.no_grad()
    def _evaluate(self, split: HeldOut) -> Scores:
        totals = Totals()
        self.model.eval()
        for batch in self.source.held_out(split):
            with self._precision(batch.inputs):
                self.objective.add(totals, self.outputs(batch.inputs), batch.targets)
        self.model.train()
        return totals.scores()

    def _precision(self, inputs: Tensor) -> AbstractContextManager[object]:
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(inputs.device.type, self.autocast)
