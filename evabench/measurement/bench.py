"""What a measurement works on: one cell and one seed, and the workload and optimizer that they make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

import torch
from torch import Tensor
from torch.optim import Optimizer

from evabench.measurement.layer_calls import LayerCalls
from evabench.measurement.modes import enter_training
from evabench.measurement.step import has_rate, scale_rate, training_step
from evabench.measurement.switches import read_switches
from evabench.records.cell import Cell
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.units import Seconds
from evabench.workloads.workload import Batch, Workload

_CPU = torch.device("cpu")

Build = Callable[[Cell, int, torch.device], tuple[Workload, Optimizer]]  # with the seed


@dataclass(slots=True, kw_only=True)
class Bench:
    """Builds workload and optimizer when they are first asked for: a probe may do without the data."""

    cell: Cell
    seed: int
    warmup_steps: int  # 0 where nothing is timed
    build: Build
    device: torch.device = _CPU
    rate_share: float = field(default=1.0, init=False)  # of the arm's own learning rate
    setup_seconds: Seconds | None = field(default=None, init=False)  # until both stood; None: they were not asked for
    layer_calls: int | None = field(default=None, init=False)  # of all nets, until both stood; None: as above
    switches: Mapping[str, str] = field(default_factory=read_switches, init=False)  # before anything was made
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

    def train(self, batch: Batch) -> Tensor:
        """Make one training step and return the loss of the batch."""
        return training_step(self.workload, self.optimizer, batch, closure=self.closure)

    def anew(self) -> "Bench":
        """Return a bench of the same cell and seed, with a workload and an optimizer of its own."""
        return replace(self)

    @property
    def has_rate(self) -> bool:
        """Return whether the learning rate is a number of the optimizer's groups: some know their own."""
        return has_rate(self.optimizer)

    def start_over(self, rate_share: float) -> None:
        """Have workload and optimizer built anew, with so much of the arm's learning rate."""
        self._built, self.rate_share = None, rate_share

    def _both(self) -> tuple[Workload, Optimizer]:
        if self._built is None:
            began = perf_counter()
            with LayerCalls() as calls:
                self._built = self.build(self.cell, self.seed, self.device)
                scale_rate(self._built[1], self.rate_share)
                enter_training(self._built[1])
            self.setup_seconds, self.layer_calls = perf_counter() - began, calls.num_calls
        return self._built


def takes_closure(cell: Cell) -> bool:
    """Return whether the step of this optimizer calls the passes itself."""
    return isinstance(cell.optimizer, PluginSettings) and cell.optimizer.closure
