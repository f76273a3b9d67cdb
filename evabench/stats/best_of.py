"""What a tuning of fewer trials would have found: the expected best of k values, drawn without replacement.

Of n values in rising order the best of k drawn ones is the i-th with probability C(n - i, k - 1) / C(n, k).
Source: Dodge et al., "Show your work", arXiv:1909.03004, who draw with replacement; here no point is tried twice.
"""

import math
from collections.abc import Sequence


def expected_best(losses: Sequence[float]) -> tuple[float, ...]:
    """Return the expected least of 1, 2, ... n of the losses; infinite while all of the drawn may be infinite."""
    ordered, n = sorted(losses), len(losses)
    return tuple(_of(ordered, n, k) for k in range(1, n + 1))


def _of(ordered: Sequence[float], n: int, k: int) -> float:
    chances = (math.comb(n - place, k - 1) / math.comb(n, k) for place in range(1, n + 1))
    return sum(chance * loss for chance, loss in zip(chances, ordered, strict=True) if chance > 0)
