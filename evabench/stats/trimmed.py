"""The trimmed mean of one sample, with its t interval.

With n values, x_(1) <= ... <= x_(n):

    g    = floor(0.2 n) values are cut from each end, h = n - 2 g remain
    mean = (x_(g+1) + ... + x_(n-g)) / h
    s_w  = standard deviation of the winsorised sample: what was cut is replaced by the nearest value that was not
    SE   = sqrt((n - 1) s_w^2 / (h (h - 1)))
    (mean - truth) / SE follows about a t distribution with h - 1 degrees of freedom

Source: Tukey & McLaughlin, "Less vulnerable confidence and significance procedures for location based on a single
sample", Sankhya A 25 (1963). It is often called Yuen's after the two-sample form, which is the only one scipy has.
A step that the machine disturbed costs a mean much and this almost nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from evabench.stats.interval import Interval, check_alpha, check_confidence

_ONE_IN = 5  # one value in five is cut from each end, so that floor(0.2 n) is exact


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimmedMean:
    """The estimate, and what its bounds are made of."""

    num_values: int
    estimate: float
    standard_error: float  # infinite for one value: it says nothing about the spread
    degrees_of_freedom: float

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound; -inf for one value."""
        return self.estimate - self._reach(alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound; inf for one value."""
        return self.estimate + self._reach(alpha)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the two-sided interval."""
        check_confidence(confidence)
        alpha = (1 - confidence) / 2
        return Interval(low=self.lower_bound(alpha), high=self.upper_bound(alpha), level=confidence)

    def _reach(self, alpha: float) -> float:
        check_alpha(alpha)
        if self.degrees_of_freedom < 1:
            return math.inf
        return float(stdtrit(self.degrees_of_freedom, 1 - alpha)) * self.standard_error


def trimmed_mean(values: Sequence[float]) -> TrimmedMean:
    """Return the mean of the middle values and its standard error. Raises `ValueError` for no or infinite values."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    if n == 0:
        raise ValueError("a trimmed mean needs at least one value, got none")
    if not np.isfinite(ordered).all():
        raise ValueError(f"a trimmed mean needs finite values, got {tuple(values)}: misses are for order statistics")
    g = n // _ONE_IN
    h = n - 2 * g
    estimate = float(ordered[g : n - g].mean())
    if h < 2:
        return TrimmedMean(num_values=n, estimate=estimate, standard_error=math.inf, degrees_of_freedom=0)
    winsorised_variance = float(np.clip(ordered, ordered[g], ordered[n - g - 1]).var(ddof=1))
    standard_error = math.sqrt((n - 1) * winsorised_variance / (h * (h - 1)))
    return TrimmedMean(num_values=n, estimate=estimate, standard_error=standard_error, degrees_of_freedom=h - 1)


def trimmed_geometric_mean(values: Sequence[float]) -> float:
    """Return exp of the trimmed mean of the logarithms: one figure for an arm's times, made as a paired ratio is."""
    return math.exp(trimmed_mean([math.log(value) for value in values]).estimate)
