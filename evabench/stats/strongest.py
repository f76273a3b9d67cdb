"""Bounds of the least of several quantities, or of the greatest, from bounds of each.

With n quantities q_i and q = min q_i, each known by bounds L_i and U_i:

    L(a) = min L_i(a)        q is one of them, and its own bound fails with probability a at most
    U(a) = min U_i(a / n)    it fails where one of n bounds fails

The greatest is the mirror image. So an arm that has to beat every baseline is judged without first choosing, on the
judged runs, which of them is the strongest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evabench.stats.interval import Bounds


@dataclass(frozen=True, slots=True)
class Least:
    """The least of several quantities."""

    members: Sequence[Bounds]

    def lower_bound(self, alpha: float) -> float:
        """Return the least lower bound."""
        return min(one.lower_bound(alpha) for one in self.members)

    def upper_bound(self, alpha: float) -> float:
        """Return the least upper bound, the error shared between them."""
        return min(one.upper_bound(alpha / len(self.members)) for one in self.members)


@dataclass(frozen=True, slots=True)
class Greatest:
    """The greatest of several quantities."""

    members: Sequence[Bounds]

    def lower_bound(self, alpha: float) -> float:
        """Return the greatest lower bound, the error shared between them."""
        return max(one.lower_bound(alpha / len(self.members)) for one in self.members)

    def upper_bound(self, alpha: float) -> float:
        """Return the greatest upper bound."""
        return max(one.upper_bound(alpha) for one in self.members)
