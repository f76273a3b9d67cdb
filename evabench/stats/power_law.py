"""The exponent of a cost that grows like a power of the width: cost = factor * width^exponent.

A weighted straight line through the logarithms. With x = log width, y = log cost, e the standard error of each cost:

    w        = (cost / e)^2, the weight of y
    exponent = sum w (x - X) (y - Y) / S,  S = sum w (x - X)^2,  X and Y the weighted means
    SE       = sqrt(max(1, sum w r^2 / (m - 2)) / S),  r the m residuals

and (exponent - truth) / SE is taken to follow a t distribution with m - 2 degrees of freedom. The factor max(1, ...)
widens the interval where the points do not lie on a line within their errors: a sum of powers is no power.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from evabench.stats.interval import Interval, check_alpha
from evabench.stats.trimmed import TrimmedMean

MIN_WIDTHS = 6
MIN_COST_OVER_NOISE = 5.0
_LEAST_RELATIVE_ERROR = 1e-6  # of a cost that was the same in every sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """The fitted exponent, and the widths that it rests on."""

    widths: tuple[int, ...]
    exponent: float
    standard_error: float

    @property
    def interval(self) -> Interval:
        """Return the two-sided 95 % interval."""
        return Interval(low=self.lower_bound(0.025), high=self.upper_bound(0.025), level=0.95)

    def lower_bound(self, alpha: float) -> float:
        """Return the one-sided lower bound."""
        return self.exponent - self._reach(alpha)

    def upper_bound(self, alpha: float) -> float:
        """Return the one-sided upper bound."""
        return self.exponent + self._reach(alpha)

    def _reach(self, alpha: float) -> float:
        check_alpha(alpha)
        return float(stdtrit(len(self.widths) - 2, 1 - alpha)) * self.standard_error


def fit_power_law(costs: Mapping[int, TrimmedMean]) -> PowerLaw | None:
    """Return the exponent over the widths whose cost exceeds 5 times its standard error; None below three."""
    clear = {
        width: cost
        for width, cost in sorted(costs.items())
        if cost.estimate > MIN_COST_OVER_NOISE * cost.standard_error and cost.estimate > 0
    }
    if len(clear) < 3:
        return None
    x = np.log(np.array(list(clear), dtype=np.float64))
    y = np.log([cost.estimate for cost in clear.values()])
    errors = [max(cost.standard_error / cost.estimate, _LEAST_RELATIVE_ERROR) for cost in clear.values()]
    w = 1 / np.square(errors)
    x = x - np.average(x, weights=w)
    y = y - np.average(y, weights=w)
    S = float(np.sum(w * x * x))
    exponent = float(np.sum(w * x * y)) / S
    spread = float(np.sum(w * np.square(y - exponent * x))) / (len(clear) - 2)
    return PowerLaw(widths=tuple(clear), exponent=exponent, standard_error=math.sqrt(max(1.0, spread) / S))
