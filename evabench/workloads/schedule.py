"""Learning-rate schedules: a factor of the base learning rate for each step of a budget."""

import math
from typing import Any, assert_never

from torch import Tensor
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
    """Sets the learning rate of every parameter group to its base times the factors of schedule and warm-up.

    A constant rate without a warm-up sets nothing, and a group whose rate is no number is left alone: such optimizers
    know their own. Where an optimizer changes a rate that is set here, the schedule prevails, and the first step at
    which it had been changed is kept.
    """

    def __init__(self, optimizer: Optimizer, settings: ConvergenceSettings) -> None:
        self._settings = settings
        idle = settings.schedule == "constant" and settings.warmup_steps == 0
        self._rates = [] if idle else [_Rate(group) for group in optimizer.param_groups if _has_number(group)]
        self.contested_at: int | None = None

    def set_for(self, step: int) -> None:
        """Set the learning rates for the step with index `step`."""
        settings = self._settings
        factor = schedule_factor(settings.schedule, step, settings.steps, settings.milestones)
        factor *= warmup_factor(step, settings.warmup_steps)
        if self.contested_at is None and any([rate.changed for rate in self._rates]):
            self.contested_at = step
        for rate in self._rates:
            rate.set(factor)


class _Rate:
    """The rate of one group: a number, or a tensor that stays the same object."""

    def __init__(self, group: dict[str, Any]) -> None:
        self._group = group
        rate = group["lr"]
        self._is_tensor = isinstance(rate, Tensor)
        self._base = rate.clone() if isinstance(rate, Tensor) else rate
        self._set = self._base

    @property
    def changed(self) -> bool:
        """Return whether somebody else has set another number; a tensor is not read: that would wait for a device."""
        return not self._is_tensor and self._group["lr"] != self._set

    def set(self, factor: float) -> None:
        """Set the rate to its base times a factor."""
        self._set = self._base * factor
        if self._is_tensor:
            self._group["lr"].copy_(self._set)
        else:
            self._group["lr"] = self._set


def _has_number(group: dict[str, Any]) -> bool:
    return isinstance(group.get("lr"), int | float | Tensor)
