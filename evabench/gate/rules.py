"""What pairs of timing visits say about a change: the rules of a look, in the order in which they are asked.

With d = log(head / base) of n pairs, and their trimmed mean with its one-sided bounds L and U (`stats.trimmed`):

    looks        at 9, 14, 19 and 29 pairs; alpha .002, .002, .003, .003, each divided by the number of tests of the
                 gate (cells times timed layers), which is fixed before the first pair (Bonferroni)
    noise        of the estimate at 19 pairs: stored (from at least 20 gates of equal sides), or computed anew at each
                 look: 1.1 * 1.4826 * MAD(d less the median of its order) / sqrt(19)
    margin       max(least, 2 * noise), at most `most`: 3 % and 5 % of a step, 10 % and 15 % of the optimizer's own time
    regression   L(alpha) > log(1 + margin), and the difference exceeds what the clock tells apart: to be confirmed
    pass         U(1.5 %) < log(1 + most); over four looks that is wrong in at most 5 % of the cases
    else         the next look; after the last one it is inconclusive, and "too noisy to gate" where 2 * noise > most

A regression is confirmed by as many fresh pairs as its look had, with the folders of both sides swapped: estimate above
the same margin, and L(5 %) > 0. What is not confirmed is inconclusive: a layout of memory that favours a folder
gives a false alarm once, and the opposite answer in the other folder.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from evabench.gate.pairs import Pair
from evabench.settings.strict import Strict
from evabench.stats.noise import NOISE_PAIRS, TRIMMED_SD_OVER_MEAN_SD, Noise, noise_of
from evabench.stats.trimmed import trimmed_mean
from evabench.units import Seconds

TimedLayer = Literal["own_time", "step"]
LookAnswer = Literal["regression", "pass", "undecided"]

PASS_ALPHA, CONFIRM_ALPHA = 0.015, 0.05
CPU_FLOOR_SECONDS, GPU_FLOOR_SECONDS = 50e-6, 20e-6  # a difference below it is the clock's


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """After how many pairs a cell is looked at, and the error that may be spent there."""

    num_pairs: int
    alpha: float  # one-sided, of one test


LOOKS = (
    Look(num_pairs=9, alpha=0.002),
    Look(num_pairs=14, alpha=0.002),
    Look(num_pairs=19, alpha=0.003),
    Look(num_pairs=29, alpha=0.003),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins(Strict):
    """Shares of a time: what a regression must exceed at least, and what a pass must exclude."""

    least: float
    most: float

    def at(self, noise: float) -> float:
        """Return the margin where the estimate has this standard deviation."""
        return min(max(self.least, 2 * noise), self.most)


STEP, OWN_TIME = Margins(least=0.03, most=0.05), Margins(least=0.10, most=0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """What is the same at every look of one cell and layer."""

    __test__ = False  # for pytest, which collects by name

    margins: Margins
    num_tests: int  # of the whole gate
    floor_seconds: Seconds = CPU_FLOOR_SECONDS
    stored_noise: float | None = None  # None: computed from the pairs at each look


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Strict):
    """What a look saw. Ratios are head / base, less 1: 0.1 is 10 % slower."""

    answer: LookAnswer
    num_pairs: int
    slowdown: float  # the estimate, which decides nothing by itself
    lower: float  # at this look's alpha
    upper: float  # at one-sided 1.5 %
    alpha: float
    margin: float
    noise: float
    too_noisy: bool  # twice the noise exceeds what a pass must exclude
    difference_seconds: Seconds
    smallest_visible: float  # a slow-down that nine gates of ten would find at the last look


def look_at(pairs: Sequence[Pair], look: Look, test: Test) -> Seen:
    """Return what so many pairs say. Only the first `look.num_pairs` count, so that a look is what it was planned."""
    pairs = pairs[: look.num_pairs]
    assert len(pairs) == look.num_pairs, f"a look at {look.num_pairs} pairs has {len(pairs)}"
    alpha = look.alpha / test.num_tests
    found = trimmed_mean([pair.log_ratio for pair in pairs])
    lower, upper = found.lower_bound(alpha), found.upper_bound(PASS_ALPHA)
    spread = spread_of(pairs)
    noise = noise_at_a_look(spread) if test.stored_noise is None else test.stored_noise
    margin = test.margins.at(noise)
    difference = math.expm1(found.estimate) * median(pair.base_seconds for pair in pairs)
    answer: LookAnswer = "undecided"
    if lower > math.log1p(margin) and difference > test.floor_seconds:
        answer = "regression"
    elif upper < math.log1p(test.margins.most):
        answer = "pass"
    return Seen(
        answer=answer,
        num_pairs=len(pairs),
        slowdown=math.expm1(found.estimate),
        lower=math.expm1(lower),
        upper=math.expm1(upper),
        alpha=alpha,
        margin=margin,
        noise=noise,
        too_noisy=2 * noise > test.margins.most,
        difference_seconds=difference,
        smallest_visible=spread.smallest_visible_beyond(margin, LOOKS[-1].alpha / test.num_tests),
    )


def confirms(pairs: Sequence[Pair], seen: Seen) -> bool:
    """Return whether fresh pairs, made with swapped folders, say what the failing look has said."""
    found = trimmed_mean([pair.log_ratio for pair in pairs])
    return found.estimate > math.log1p(seen.margin) and found.lower_bound(CONFIRM_ALPHA) > 0


def spread_of(pairs: Sequence[Pair]) -> Noise:
    """Return how much pairs differ, less the median of each order: a change is in both orders, and no noise."""
    orders = [[pair.log_ratio for pair in pairs if pair.base_first is first] for first in (True, False)]
    found = noise_of(*orders)
    assert found is not None, f"pairs of both orders are needed, got {len(orders[0])} and {len(orders[1])}"
    return found


def noise_at_a_look(spread: Noise) -> float:
    """Return the standard deviation of the estimate at 19 pairs, not corrected for few pairs."""
    return TRIMMED_SD_OVER_MEAN_SD * spread.spread / math.sqrt(NOISE_PAIRS)
