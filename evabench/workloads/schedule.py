"""Learning-rate schedules: a factor of the base learning rate for each step of a budget."""

import math
from typing import assert_never

from torch.optim import Optimizer

from evabench.records.measurement import ConvergenceSettings, Schedule

_STEP_FACTOR = 0.1  # at each milestone, as the authors' scripts do


def schedule_factor(schedule: Schedule, step: int, budget_steps: int, milestones: tuple[float, ...] = ()) -> float:
    """Return the factor for the step with index `step` (from 0): 1 at the start, towards 0 at the budget's end.

    "step" multiplies by 0.1 at each of the `milestones`, shares of the budget.
    """
    done = step / budget_steps
    match schedule:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - done
        case "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * done))
        case "step":
            return _STEP_FACTOR ** sum(done >= milestone for milestone in milestones)
        case _:
            assert_never(schedule)


def warmup_factor(step: int, warmup_steps: int) -> float:
    """Return a factor that rises linearly, 1 / (n + 1) at step 0, and is 1 from step n = `warmup_steps` on."""
    return min(1.0, (step + 1) / (warmup_steps + 1))


class ScheduledRate:
    """Sets the learning rate of every parameter group to its base times the factors of schedule and warm-up."""

    def __init__(self, optimizer: Optimizer, settings: ConvergenceSettings) -> None:
        self._optimizer, self._settings = optimizer, settings
        self._base = [group["lr"] for group in optimizer.param_groups]

    def set_for(self, step: int) -> None:
        """Set the learning rates for the step with index `step`."""
        settings = self._settings
        factor = schedule_factor(settings.schedule, step, settings.steps, settings.milestones)
        factor *= warmup_factor(step, settings.warmup_steps)
        for group, base in zip(self._optimizer.param_groups, self._base, strict=True):
            group["lr"] = base * factor
