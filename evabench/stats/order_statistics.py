"""Intervals and bounds of a median that hold exactly for any distribution, infinite values included.

Each of n values lies below the true median with probability 1/2, so the number that do is Bin(n, 1/2), and

    P(median < x_(j)) = P(Bin(n, 1/2) < j)

where x_(1) <= ... <= x_(n). Source: the sign test; Conover, Practical Nonparametric Statistics, section 3.2.
A miss of a target is an infinite time, which a mean cannot take and a rank can.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

from evabench.stats.interval import Interval, check_alpha, check_confidence


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return the narrowest pair (x_(j), x_(n+1-j)) with an exact level of at least `confidence`, and that level.

    None where no pair has it: at 95 % below 6 values.
    """
    check_confidence(confidence)
    rank = lower_rank(len(values), (1 - confidence) / 2)
    if rank is None:
        return None
    ordered = sorted(values)
    level = 1 - 2 * probability_below(len(values), rank)
    return Interval(low=ordered[rank - 1], high=ordered[-rank], level=level)


def median_lower_bound(values: Sequence[float], alpha: float) -> float:
    """Return x_(j) with the largest j for which P(Bin(n, 1/2) < j) <= alpha; -inf where there is none."""
    check_alpha(alpha)
    rank = lower_rank(len(values), alpha)
    return -math.inf if rank is None else sorted(values)[rank - 1]


def median_upper_bound(values: Sequence[float], alpha: float) -> float:
    """Return x_(n+1-j), the mirror image of the lower bound; inf where there is none."""
    check_alpha(alpha)
    rank = lower_rank(len(values), alpha)
    return math.inf if rank is None else sorted(values)[-rank]


@cache
def lower_rank(num_values: int, alpha: float) -> int | None:
    """Return the largest j, counted from 1, with P(Bin(num_values, 1/2) < j) <= alpha; None where there is none."""
    # 1 - 0.95 is a little above 0.05 in floating point and (1 - 0.9375) / 2 a little below: allow for the rounding.
    allowed = alpha * (1 + 1e-12)
    ranks = (rank for rank, below in enumerate(_probabilities_below(num_values)) if below > allowed)
    return next(ranks, num_values + 1) - 1 or None


def probability_below(num_values: int, rank: int) -> float:
    """Return P(Bin(num_values, 1/2) < rank), the error of the one-sided bound x_(rank)."""
    return next(islice(_probabilities_below(num_values), rank, None))


def _probabilities_below(num_values: int) -> Iterator[float]:
    """Yield P(Bin(num_values, 1/2) < j) for j = 0 to num_values + 1, exact but for the division.

    Each binomial coefficient follows from the one before by a product and a quotient of whole numbers: thousands of
    values take as many steps, and no sum is begun anew.
    """
    num_outcomes, below, coefficient = 1 << num_values, 0, 1
    for i in range(num_values + 1):
        yield below / num_outcomes
        below += coefficient
        coefficient = coefficient * (num_values - i) // (i + 1)
    yield below / num_outcomes
