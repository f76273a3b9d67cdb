"""Whether two arms are equal, by two one-sided tests: "not significantly different" is never "equal".

A ratio is equal to 1 within m when it lies between 1 / (1 + m) and 1 + m, that is, its logarithm within
+-log(1 + m): the answer is the same whichever arm is the base.
Source: Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", J. Pharmacokinetics
and Biopharmaceutics 15 (1987).
"""

from typing import Literal

from evabench.stats.interval import Bounds

Equivalence = Literal["equal", "different", "undecided"]


def ratio_equivalence(ratio: Bounds, margin: float, alpha: float = 0.05, alpha_different: float = 0.05) -> Equivalence:
    """Return "equal" when the 1 - 2 alpha interval (90 %) lies inside 1 / (1 + margin) to 1 + margin.

    "different" when the two-sided interval of error `alpha_different` lies wholly outside; a caller with k workloads
    passes alpha / k there.
    """
    if margin <= 0:
        raise ValueError(f"margin must be above 0, got {margin}: no two measured arms are exactly equal")
    low, high = 1 / (1 + margin), 1 + margin
    if ratio.lower_bound(alpha) >= low and ratio.upper_bound(alpha) <= high:
        return "equal"
    each_side = alpha_different / 2
    if ratio.lower_bound(each_side) > high or ratio.upper_bound(each_side) < low:
        return "different"
    return "undecided"
