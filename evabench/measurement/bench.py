"""What a measurement works on: one cell and one seed, and the workload and optimizer that they make."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim import Optimizer

from evabench.measurement.modes import enter_training
from evabench.measurement.step import slow_down, training_step
from evabench.records.cell import Cell
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.workloads.workload import Batch, Workload

# Batches are made before a timed block, and used again after so many, so that input is never part of a step's time.
_TIMED_BATCHES = 16

Build = Callable[[Cell, int], tuple[Workload, Optimizer]]  # with the seed


@dataclass(slots=True, kw_only=True)
class Bench:
    """Builds workload and optimizer when they are first asked for: a probe may do without the data."""

    cell: Cell
    seed: int
    warmup_steps: int  # 0 where nothing is timed
    build: Build
    _built: tuple[Workload, Optimizer] | None = field(default=None, init=False)

    @property
    def workload(self) -> Workload:
        """Return the workload; always the same one."""
        return self._both()[0]

    @property
    def optimizer(self) -> Optimizer:
        """Return the optimizer of its model; always the same one."""
        return self._both()[1]

    @property
    def built_optimizer(self) -> Optimizer | None:
        """Return the optimizer, None where the measurement did not ask for it."""
        return self._built[1] if self._built else None

    @property
    def cycle_steps(self) -> int:
        """Return the steps from one refresh to the next."""
        return self.cell.optimizer.cycle_steps

    @property
    def closure(self) -> bool:
        """Return whether a step calls the passes itself."""
        return takes_closure(self.cell)

    @property
    def device(self) -> torch.device:
        """Return where the model lies."""
        return next(self.workload.model.parameters()).device

    def train(self, batch: Batch) -> Tensor:
        """Make one training step and return the loss of the batch."""
        return training_step(self.workload, self.optimizer, batch, closure=self.closure)

    def anew(self) -> "Bench":
        """Return a bench of the same cell and seed, with a workload and an optimizer of its own."""
        return Bench(cell=self.cell, seed=self.seed, warmup_steps=self.warmup_steps, build=self.build)

    def timed_step(self) -> Callable[[], None]:
        """Return a training step whose batches are made now; its learning rate is low, for only the cost counts."""
        slow_down(self.optimizer)
        stream = self.workload.batches()
        batches = _endless([next(stream) for _ in range(_TIMED_BATCHES)])

        def step() -> None:
            self.train(next(batches))

        return step

    def _both(self) -> tuple[Workload, Optimizer]:
        if self._built is None:
            self._built = self.build(self.cell, self.seed)
            enter_training(self._built[1])
        return self._built


def takes_closure(cell: Cell) -> bool:
    """Return whether the step of this optimizer calls the passes itself."""
    return isinstance(cell.optimizer, PluginSettings) and cell.optimizer.closure


def _endless(batches: list[Batch]) -> Iterator[Batch]:
    while True:
        yield from batches
