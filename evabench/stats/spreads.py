"""A few values of equal worth, such as those of the seeds: their median and their ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median between the lowest and the highest value: no interval of confidence."""

    middle: float
    low: float
    high: float
    num_values: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Self | None:
        """Return the spread of the values that are there; None where none is."""
        there = [value for value in values if value is not None]
        if not there:
            return None
        return cls(middle=median(there), low=min(there), high=max(there), num_values=len(there))
