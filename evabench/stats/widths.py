"""How exact counts grow with the width of a net: the terms of their polynomial.

Bytes of state are integers and not samples, so a handful of widths decides without any interval. Divided differences
of a polynomial p of degree m vanish above order m, whatever the spacing of the widths, and those of order m are its
leading coefficient:

    [x0] p = p(x0),   [x0 ... xk] p = ([x1 ... xk] p - [x0 ... xk-1] p) / (xk - x0)

They are fractions here: no rounding, so zero means zero. For equal spacing they are the finite differences over
k! spacing^k.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

MIN_EXACT_WIDTHS = 5  # of a degree that is not known before: a cubic takes four, the fifth is the check
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactDegree:
    """The degree of the polynomial that counts lie on, and where they do."""

    degree: int
    widths: tuple[int, ...]


def exact_degree(counts: Mapping[int, int]) -> ExactDegree | None:
    """Return the degree over the longest run of neighbouring widths whose counts lie on one polynomial.

    A code may take another path at another size, and count another polynomial there: runs are tried from the longest
    to the shortest, the widest first. A run counts where its highest difference vanishes, so that one width more than
    the polynomial needs agrees with it. None where no `MIN_EXACT_WIDTHS` neighbours do.
    """
    points = sorted(counts.items())
    for length in range(len(points), MIN_EXACT_WIDTHS - 1, -1):
        for start in range(len(points) - length, -1, -1):
            run = points[start : start + length]
            orders = divided_differences(run)
            if not any(orders[-1]):
                degree = max((order for order, values in enumerate(orders) if any(values)), default=0)
                return ExactDegree(degree=degree, widths=tuple(width for width, _ in run))
    return None


def divided_differences(points: Sequence[tuple[int, int]]) -> list[list[Fraction]]:
    """Return the differences of every order of (width, count), which are in the order of their widths."""
    widths = [width for width, _ in points]
    orders = [[Fraction(count) for _, count in points]]
    for order in range(1, len(points)):
        orders.append(
            [(upper - lower) / (widths[i + order] - widths[i]) for i, (lower, upper) in enumerate(pairwise(orders[-1]))]
        )
    return orders


def width_polynomial(counts: Mapping[int, int]) -> WidthPolynomial | None:
    """Return the polynomial behind width -> count; None below `MIN_WIDTHS` widths, where nothing could check it."""
    if len(counts) < MIN_WIDTHS:
        return None
    points = tuple(sorted(counts.items()))
    orders = divided_differences(points)
    if any(orders[3]):
        return WidthPolynomial(counts=points, quadratic=None)
    return WidthPolynomial(counts=points, quadratic=orders[2][0])
