"""How noisy a machine is, from pairs of timing visits of one and the same arm, and what a gate can see through it.

With d = log(second arm / first arm) of n pairs, the arms being equal, and r = d minus the median of the pairs made in
the same order (first arm first, or second arm first):

    spread  = 1.4826 * MAD(r)                        as if normal
    pair sd = spread / c                             c: what the spread of so few normal pairs of sd 1 is, in the median
    noise   = 1.1 * pair sd / sqrt(19)               of the gate's trimmed mean of 19 pairs
    margin  = max(3 %, 2 * noise)                    slow-downs below it are never called a regression
    too noisy to gate where 2 * noise > 5 %

Medians, because one pair that the machine disturbed must not decide. 1.1 is what trimming costs where the pairs are
normal. The median of an order is subtracted because the second visit of a pair may be warmer than the first: with
alternating orders that cancels in an estimate, and is no noise. Two medians taken from few pairs leave less spread than
there is: c is 0.68 for 8 pairs, 0.87 for 20, and 1 for many. The gate's rule has no c.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from evabench.stats.interval import Interval

MIN_PAIRS = 6  # three of each order: with two, the two rests of an order are equal and opposite
NORMAL_SD_OVER_MAD = 1.4826
TRIMMED_SD_OVER_MEAN_SD = 1.1
NOISE_PAIRS = 19
MIN_MARGIN, MAX_MARGIN = 0.03, 0.05
_LAST_LOOK_PAIRS, _LAST_LOOK_KEPT, _LAST_LOOK_ALPHA = 29, 19, 0.003
_FOUND_SHARE = 0.9
_NUM_DRAWS, _DRAW_SEED = 20_000, 20230804
_MAX_NUMBERS_AT_ONCE = 1 << 18  # all draws of 4,000 pairs at once would take 3 GB

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What pairs of equal arms say about a gate; shares of a step time."""

    num_pairs_by_order: tuple[int, int]  # first arm first, second arm first
    spread: float

    @property
    def num_pairs(self) -> int:
        """Return the pairs of both orders."""
        return sum(self.num_pairs_by_order)

    @property
    def pair_sd(self) -> float:
        """Return the standard deviation of a pair, right in the median."""
        return self.spread / _spread_quantile(self.num_pairs_by_order, 0.5)

    @property
    def pair_sd_interval(self) -> Interval:
        """Return the 90 % interval of the pair sd, were the pairs normal."""
        low, high = (_spread_quantile(self.num_pairs_by_order, share) for share in (0.95, 0.05))
        return Interval(low=self.spread / low, high=self.spread / high, level=0.9)

    @property
    def at_most(self) -> "Noise":
        """Return the noise at the upper end of that interval."""
        high = self.pair_sd_interval.high
        return replace(self, spread=high * _spread_quantile(self.num_pairs_by_order, 0.5))

    @property
    def estimate_sd(self) -> float:
        """Return the standard deviation of the gate's estimate at 19 pairs."""
        return TRIMMED_SD_OVER_MEAN_SD * self.pair_sd / math.sqrt(NOISE_PAIRS)

    @property
    def margin(self) -> float | None:
        """Return what a slow-down must exceed to be called a regression; None where it is too noisy to gate."""
        return None if self.is_too_noisy else max(MIN_MARGIN, 2 * self.estimate_sd)

    @property
    def is_too_noisy(self) -> bool:
        """Whether a gate here could only be inconclusive."""
        return 2 * self.estimate_sd > MAX_MARGIN

    @property
    def smallest_visible(self) -> float:
        """Return the slow-down that nine gates of ten would find at their last look.

        The lower bound (t at one-sided 0.3 %, 19 of 29 pairs kept) must exceed the margin, and lies one quantile of the
        estimate lower by chance:

            log(1 + slow-down) = log(1 + max(3 %, 2 noise)) + (t + 1.28) * 1.1 * pair sd / sqrt(29)
        """
        return self.smallest_visible_beyond(max(MIN_MARGIN, 2 * self.estimate_sd), _LAST_LOOK_ALPHA)

    def smallest_visible_beyond(self, margin: float, alpha: float) -> float:
        """Return the same for another margin, and another error of the last look."""
        last_sd = TRIMMED_SD_OVER_MEAN_SD * self.pair_sd / math.sqrt(_LAST_LOOK_PAIRS)
        reach = float(stdtrit(_LAST_LOOK_KEPT - 1, 1 - alpha)) + float(ndtri(_FOUND_SHARE))
        return math.expm1(math.log1p(margin) + reach * last_sd)


def noise_of(first_order: Sequence[float], second_order: Sequence[float]) -> Noise | None:
    """Return the noise; None below `MIN_PAIRS` pairs, or where an order has fewer than half of that.

    Both sequences hold d = log(second arm / first arm) of each pair, of those that visited the first arm first and of
    those that visited the second arm first.
    """
    counts = (len(first_order), len(second_order))
    if min(counts) < MIN_PAIRS // 2:
        return None
    pairs = np.array([[*first_order, *second_order]], dtype=np.float64)
    return Noise(num_pairs_by_order=counts, spread=float(_spreads(pairs, counts[0])[0]))


def _spreads(pairs: Floats, num_first: int) -> Floats:
    """Return 1.4826 MAD of each row of [rows, pairs], the median of each order subtracted before."""
    orders = (pairs[:, :num_first], pairs[:, num_first:])
    rests = np.concatenate([order - np.median(order, axis=1, keepdims=True) for order in orders], axis=1)
    deviations = np.abs(rests - np.median(rests, axis=1, keepdims=True))
    spreads: Floats = NORMAL_SD_OVER_MAD * np.median(deviations, axis=1)
    return spreads


@cache
def _spread_quantile(num_pairs_by_order: tuple[int, int], share: float) -> float:
    """Return a quantile of the spread of normal pairs of sd 1, drawn with a fixed seed."""
    random, num_pairs = np.random.default_rng(_DRAW_SEED), sum(num_pairs_by_order)
    num_rows = max(1, _MAX_NUMBERS_AT_ONCE // num_pairs)
    parts = (min(num_rows, _NUM_DRAWS - first) for first in range(0, _NUM_DRAWS, num_rows))
    spreads = [_spreads(random.standard_normal((rows, num_pairs)), num_pairs_by_order[0]) for rows in parts]
    return float(np.quantile(np.concatenate(spreads), share))


def robust_sd(values: Sequence[float]) -> float:
    """Return 1.4826 MAD: the standard deviation of normal values, whatever a few of them do."""
    found = np.asarray(values)
    return float(NORMAL_SD_OVER_MAD * np.median(np.abs(found - np.median(found))))
