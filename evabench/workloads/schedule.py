"""Learning-rate schedules: a factor of the base learning rate for each step of a budget."""

import math
from typing import assert_never

from torch.optim import Optimizer

from evabench.settings.measurement import Schedule


def schedule_factor(schedule: Schedule, step: int, budget_steps: int) -> float:
    """Return the factor for the step with index `step` (from 0): 1 at the start, towards 0 at the budget's end."""
    done = step / budget_steps
    match schedule:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - done
        case "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * done))
        case _:
            assert_never(schedule)


class ScheduledRate:
    """Sets the learning rate of every parameter group to its base times the schedule's factor."""

    def __init__(self, optimizer: Optimizer, schedule: Schedule, budget_steps: int) -> None:
        self._optimizer, self._schedule, self._budget_steps = optimizer, schedule, budget_steps
        self._base = [group["lr"] for group in optimizer.param_groups]

    def set_for(self, step: int) -> None:
        """Set the learning rates for the step with index `step`."""
        factor = schedule_factor(self._schedule, step, self._budget_steps)
        for group, base in zip(self._optimizer.param_groups, self._base, strict=True):
            group["lr"] = base * factor
