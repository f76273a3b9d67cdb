"""A pair: two adjacent timing visits, one of each side of a gate."""

import math
from dataclasses import dataclass
from typing import Literal

from evabench.settings.strict import Strict
from evabench.units import Seconds

Side = Literal["base", "head"]
SIDES: tuple[Side, Side] = ("base", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Strict):
    """What one pair of visits has measured. Both came from servers that were started at the same time for it."""

    number: int  # from 1; the seed of both visits
    base_first: bool  # alternates: with adjacent visits that is ABBA
    base_seconds: Seconds
    head_seconds: Seconds

    @property
    def log_ratio(self) -> float:
        """Return log(head / base): above 0 the head is slower."""
        return math.log(self.head_seconds / self.base_seconds)


def base_comes_first(number: int) -> bool:
    """Return whether the base is visited first in a pair. Pair 1 begins with the base, and they alternate."""
    return number % 2 == 1
