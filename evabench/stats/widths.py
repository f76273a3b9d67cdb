"""How exact counts grow with the width of a net: the terms of their polynomial.

Bytes of state are integers and not samples, so a handful of widths decides without any interval. Divided differences
of a polynomial p of degree m vanish above order m, whatever the spacing of the widths, and those of order m are its
leading coefficient:

    [x0] p = p(x0),   [x0 ... xk] p = ([x1 ... xk] p - [x0 ... xk-1] p) / (xk - x0)

They are fractions here: no rounding, so zero means zero. For equal spacing they are the finite differences over
k! spacing^k.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

MIN_WIDTHS = 4  # three always lie on a parabola; the fourth is the check that there is nothing beyond it


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthPolynomial:
    """Counts at several widths, and their exact polynomial of at most second degree where there is one."""

    counts: tuple[tuple[int, int], ...]  # (width, count), by width
    quadratic: Fraction | None  # coefficient of width^2; None: not a polynomial of degree 2 or less

    @property
    def num_widths(self) -> int:
        """Return the number of widths that were counted."""
        return len(self.counts)

    @property
    def has_quadratic_term(self) -> bool | None:
        """Return whether the count grows with the square of the width; None: not a polynomial of degree 2 or less."""
        return None if self.quadratic is None else self.quadratic != 0


def width_polynomial(counts: Mapping[int, int]) -> WidthPolynomial | None:
    """Return the polynomial behind width -> count; None below `MIN_WIDTHS` widths, where nothing could check it."""
    if len(counts) < MIN_WIDTHS:
        return None
    points = tuple(sorted(counts.items()))
    widths = [width for width, _ in points]
    differences = [Fraction(count) for _, count in points]
    orders = [differences]
    for order in range(1, 4):
        differences = [
            (upper - lower) / (widths[i + order] - widths[i]) for i, (lower, upper) in enumerate(pairwise(differences))
        ]
        orders.append(differences)
    if any(orders[3]):
        return WidthPolynomial(counts=points, quadratic=None)
    return WidthPolynomial(counts=points, quadratic=orders[2][0])
