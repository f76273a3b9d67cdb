"""The exponent of a cost that grows like a power of the width, above a constant that is measured too.

    cost(d) = c0 + c1 d^p

c0 is what does not grow, such as Python. Left in, it pulls every exponent down until a true d^3 looks like d^2, and
fitted without a measurement it takes what it likes of the curve. So it is measured at a width that is next to nothing,
d0, and enters as one more point. With e the standard errors:

    (c0, c1, p) minimise  sum_d ((cost(d) - c0 - c1 d^p) / e_d)^2 + ((cost(d0) - c0) / e_0)^2
    SE(p)^2 = max(1, minimum / (m - 2)) [(J^T J)^-1]_pp,   J the derivatives over e, of m widths and d0

and (p - truth) / SE(p) is taken to follow a t distribution with m - 2 degrees of freedom. No width is left out for
drowning in noise: its weight says so. The factor max(1, ...) widens the interval where the points do not lie on such a
curve within their errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from evabench.stats.interval import Interval, check_alpha
from evabench.stats.trimmed import TrimmedMean

MIN_WIDTHS = 8
MIN_SPAN = 8  # the widest over the narrowest
CONSTANT_WIDTH = 8  # d0: at and below it a layer's own work is far less than the microsecond that an operator takes
MIN_POWER = 0.9
NUM_SIMULATED = 1000  # 0.9 of them is known to 0.01
_CUBE = 3.0
_EXPONENTS = np.linspace(0.05, 6.0, 596)  # a minimum at one of the ends is none
_LEAST_RELATIVE_ERROR = 1e-6  # of a cost that was the same in every sweep

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """The fitted curve, and what the design could have seen."""

    widths: tuple[int, ...]  # without d0
    constant: float  # c0
    constant_error: float  # of its measurement
    exponent: float
    standard_error: float
    design: "_Design" = field(repr=False, compare=False)

    @property
    def span(self) -> float:
        """Return the widest over the narrowest width."""
        return self.widths[-1] / self.widths[0]

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

    def power_against_cube(self, threshold: float, alpha: float) -> float:
        """Return the share of simulated experiments in which a true d^3 would be refuted.

        The truth is the d^3 above a constant that fits the measured costs best; the errors are the measured ones,
        normal and independent. Refuted: the lower bound exceeds the threshold.
        """
        check_alpha(alpha)
        return self.design.power(_CUBE, threshold, float(stdtrit(len(self.widths) - 2, 1 - alpha)))

    def _reach(self, alpha: float) -> float:
        check_alpha(alpha)
        return float(stdtrit(len(self.widths) - 2, 1 - alpha)) * self.standard_error


def fit_power_law(costs: Mapping[int, TrimmedMean]) -> PowerLaw | None:
    """Return the exponent over the widths above d0.

    None without a measurement at d0 or less, below four other widths, and where the costs do not rise.
    """
    constants = [width for width in costs if width <= CONSTANT_WIDTH]
    widths = sorted(width for width in costs if width > CONSTANT_WIDTH)
    if not constants or len(widths) < 4:
        return None
    points = [costs[width] for width in (*widths, max(constants))]
    measured = np.array([point.estimate for point in points])
    errors = np.array([point.standard_error for point in points])
    if not measured.any():
        return None
    least = _LEAST_RELATIVE_ERROR * float(np.abs(measured).max())
    design = _Design(np.array(widths, dtype=np.float64), measured, np.maximum(errors, least))
    exponents, standard_errors = design.fit(measured[None])
    if not np.isfinite(standard_errors[0]):
        return None
    exponent = float(exponents[0])
    return PowerLaw(
        widths=tuple(widths),
        constant=float(design.line(measured, exponent)[0]),
        constant_error=float(errors[-1]),
        exponent=exponent,
        standard_error=float(standard_errors[0]),
        design=design,
    )


class _Design:
    """Widths and errors, and how any costs measured with them are fitted; the last point is that of d0."""

    def __init__(self, widths: _Array, measured: _Array, errors: _Array) -> None:
        self.logs = np.append(np.log(widths / widths[-1]), -np.inf)  # in units of the widest: d0 counts as 0
        self.measured, self.errors = measured, errors

    @cached_property
    def _bases(self) -> _Array:
        """Return orthonormal columns at every exponent: [exponents, points, 2]."""
        constant = (1 / self.errors) / np.linalg.norm(1 / self.errors)
        powers = np.exp(_EXPONENTS[:, None] * self.logs) / self.errors
        powers -= (powers @ constant)[:, None] * constant
        powers /= np.linalg.norm(powers, axis=1, keepdims=True)
        return np.stack((np.broadcast_to(constant, powers.shape), powers), axis=2)

    def line(self, costs: _Array, exponent: float) -> _Array:
        """Return c0 and c1, the latter in units of the widest width, of one row of costs."""
        solved: Any = np.linalg.lstsq(self._columns(exponent), costs / self.errors, rcond=None)
        found: _Array = solved[0]
        return found

    def fit(self, costs: _Array) -> tuple[_Array, _Array]:
        """Return the exponents of rows of costs, and their standard errors; infinite where there is no minimum."""
        scaled = costs / self.errors
        explained = np.square(np.einsum("rk,pkc->rpc", scaled, self._bases, optimize=True)).sum(-1)
        left = np.square(scaled).sum(-1, keepdims=True) - explained  # [rows, exponents]
        place = left.argmin(1)
        inside = (place > 0) & (place < len(_EXPONENTS) - 1)
        place = place.clip(1, len(_EXPONENTS) - 2)
        rows = np.arange(len(costs))
        before, at, after = (left[rows, place + step] for step in (-1, 0, 1))
        bend = before - 2 * at + after
        shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
        exponents = _EXPONENTS[place] + shift.clip(-0.5, 0.5) * (_EXPONENTS[1] - _EXPONENTS[0])
        errors = np.array([self._error(row, p) for row, p in zip(scaled, exponents, strict=True)])
        return exponents, np.where(inside, errors, np.inf)

    def power(self, exponent: float, threshold: float, quantile: float) -> float:
        """Return the share of experiments with this true exponent whose lower bound exceeds the threshold."""
        c0, c1 = self.line(self.measured, exponent)
        if c1 <= 0:
            return 0.0
        truth = self._columns(exponent) @ np.array([c0, c1]) * self.errors
        noise = np.random.default_rng(0).normal(size=(NUM_SIMULATED, len(truth))) * self.errors
        exponents, errors = self.fit(truth + noise)
        return float(np.mean(exponents - quantile * errors > threshold))

    def _columns(self, exponent: float) -> _Array:
        """Return the derivatives by c0 and c1, over the errors."""
        columns: _Array = np.stack((np.ones_like(self.logs), np.exp(exponent * self.logs)), axis=1)
        return columns / self.errors[:, None]

    def _error(self, scaled: _Array, exponent: float) -> float:
        """Return SE(p); infinite where the costs do not rise."""
        columns = self._columns(exponent)
        (_, c1), *_ = np.linalg.lstsq(columns, scaled, rcond=None)
        if c1 <= 0:
            return float(np.inf)
        # The derivative by p is c1 d^p log d, 0 at d0. What c0 and c1 cannot explain of it is what tells p.
        slope = np.zeros_like(scaled)
        slope[:-1] = c1 * columns[:-1, 1] * self.logs[:-1]
        basis = np.linalg.qr(columns)[0]
        own = slope - basis @ (basis.T @ slope)
        residual = scaled - basis @ (basis.T @ scaled)
        spread = float(residual @ residual) / (len(scaled) - 3)
        return float(np.sqrt(max(1.0, spread) / max(float(own @ own), np.finfo(float).tiny)))
