"""How fast an optimizer converges on a quadratic whose conditioning is known."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTrial(Strict):
    """One learning rate: the excess loss L - L* over that at the start, at some steps from 0 to where it ended."""

    multiple: float  # of gradient descent's best learning rate
    steps: tuple[int, ...]
    excess: tuple[float | None, ...]  # None: not finite, and the trial ended there


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Strict):
    """Every learning rate of the grid, from the same start.

    1   2026-11-24   the first
    """

    divergence: ClassVar[None] = None  # a rate at which a trial diverges is a finding

    measured: Literal["rate"] = "rate"
    schema: Literal[1] = 1
    unit_lr: float  # what a multiple multiplies: 2 / (largest + smallest eigenvalue of the Hessian)
    trials: tuple[RateTrial, ...]
