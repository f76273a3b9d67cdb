"""Who has reached a target by when: the estimate of Kaplan and Meier, which describes and decides nothing.

A run that missed stays at risk until the end of its budget, one that diverged too. Where all budgets are equal the
estimate is the share of the seeds; where they differ it is not.
Source: Kaplan & Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958); `scipy.stats.ecdf`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The share of seeds that have reached the target, after so many steps."""

    num_seeds: int
    num_reached: int
    steps: tuple[float, ...]  # rising
    shares: tuple[float, ...]

    def steps_at(self, share: float) -> float | None:
        """Return after how many steps this share has reached it; None: never within the budgets."""
        return next((at for at, reached in zip(self.steps, self.shares, strict=True) if reached >= share), None)


def reached(steps: Sequence[int | None], budgets: Sequence[int]) -> Reached | None:
    """Return the estimate from the steps of each seed, None for a miss, and its budget; None without a seed."""
    if not steps:
        return None
    from scipy.stats import CensoredData, ecdf  # here: it takes longer to import than a verb without it to run

    hits = [count for count in steps if count is not None]
    ends = [budget for count, budget in zip(steps, budgets, strict=True) if count is None]
    cdf = ecdf(CensoredData(uncensored=hits, right=ends)).cdf
    return Reached(
        num_seeds=len(steps),
        num_reached=len(hits),
        steps=tuple(float(at) for at in cdf.quantiles),
        shares=tuple(float(share) for share in cdf.probabilities),
    )
