"""Intervals, and what everything that can be judged has: a one-sided bound at any level."""

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two ends, either of which may be infinite, and the share of repetitions in which they enclose the truth."""

    low: float
    high: float
    level: float  # the true one: an order statistic cannot reach every level


class Bounds(Protocol):
    """An estimated quantity. Where the observations cannot give a bound at this level it is infinite."""

    def lower_bound(self, alpha: float) -> float:
        """Return what the quantity exceeds, except with probability alpha."""
        ...

    def upper_bound(self, alpha: float) -> float:
        """Return what the quantity stays below, except with probability alpha."""
        ...


@dataclass(frozen=True, slots=True)
class Exact:
    """A quantity that was counted: both bounds are the number, at every level."""

    value: float

    def lower_bound(self, alpha: float) -> float:
        """Return the number."""
        return self.value

    def upper_bound(self, alpha: float) -> float:
        """Return the number."""
        return self.value


@dataclass(frozen=True, slots=True)
class Unbounded:
    """A quantity that could not be computed: anything is possible."""

    def lower_bound(self, alpha: float) -> float:
        """Return minus infinity."""
        return -math.inf

    def upper_bound(self, alpha: float) -> float:
        """Return infinity."""
        return math.inf


def check_alpha(alpha: float) -> None:
    """Raise `ValueError` unless alpha is a one-sided error that a bound can have."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must be above 0 and below 0.5, got {alpha}: it is the error of one side")


def check_confidence(confidence: float) -> None:
    """Raise `ValueError` unless a two-sided interval can have this confidence."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}")
