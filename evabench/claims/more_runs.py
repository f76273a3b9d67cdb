"""How many runs would decide an open claim of a suite, if its noise stays what it is: a guess, which decides nothing.

An interval shrinks with the root of the number of runs, so that one that is twice too wide wants four times as many.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from evabench.claims.judge import MIN_PAIRS
from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.settings.claims import MIN_SEEDS, Claim, Quantity
from evabench.suite.suite import Suite

_RATIOS: tuple[Quantity, ...] = ("time_to_target_ratio", "steps_to_target_ratio", "step_time_ratio")
_MOST = 1000  # pairs or seeds: what wants more is a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreRuns:
    """What a suite would have to ask for. None: this claim needs none of them."""

    num_pairs: int | None
    num_seeds: int | None
    is_tie: bool = False  # even `num_pairs` and `num_seeds` would not be enough

    def of(self, suite: Suite) -> Suite:
        """Return the suite with as many sweeps and seeds."""
        kinds = suite.measurements
        timed, trained = kinds.step_time, kinds.convergence
        if timed is not None and self.num_pairs is not None:
            timed = replace(timed, sweeps=max(timed.sweeps, self.num_pairs))
        if trained is not None and self.num_seeds is not None:
            trained = replace(trained, seeds=max(trained.seeds, self.num_seeds))
        return replace(suite, measurements=replace(kinds, step_time=timed, convergence=trained))


def more_runs(judgement: Judgement) -> MoreRuns | None:
    """Return what would decide an inconclusive claim; None where it is decided, or where runs are not what it lacks."""
    deciding = [one for one in judgement.evidence if one.decides]
    if judgement.here is not Verdict.INCONCLUSIVE or not deciding:
        return None
    short = [one for one in deciding if _is_short(one)]
    factors = [factor for one in deciding for factor in _factors(judgement.claim, one)]
    if not short and not factors:
        return None
    factor = max(factors, default=1.0)
    pairs = [_enough(one.num_pairs, MIN_PAIRS, factor) for one in deciding if one.num_pairs is not None]
    seeds = [_enough(one.num_seeds, MIN_SEEDS, factor) for one in deciding if one.num_seeds is not None]
    most = max((*pairs, *seeds), default=0)
    return MoreRuns(
        num_pairs=min(max(pairs), _MOST) if pairs else None,
        num_seeds=min(max(seeds), _MOST) if seeds else None,
        is_tie=most > _MOST,
    )


def _is_short(one: Evidence) -> bool:
    few_pairs = one.num_pairs is not None and one.num_pairs < MIN_PAIRS
    return few_pairs or (one.num_seeds is not None and one.num_seeds < MIN_SEEDS)


def _enough(number: int, least: int, factor: float) -> int:
    return max(least, math.ceil(min(factor, 2.0 * _MOST) * number))


def _factors(claim: Claim, one: Evidence) -> Iterator[float]:
    """Yield how many times as many runs a comparison wants, where its interval is what keeps it open."""
    if claim.quantity not in _RATIOS or claim.relation not in ("at_least", "at_most"):
        return
    estimate, low, high = one.estimate, one.lower_bound, one.upper_bound
    if estimate is None or low is None or high is None or not 0 < low <= estimate <= high < math.inf:
        return
    sign = 1 if claim.relation == "at_least" else -1
    threshold = claim.number * (1 - sign * claim.tolerance)
    distance = math.log(estimate / threshold)
    half = math.log(estimate / low) if distance > 0 else math.log(high / estimate)
    if half > abs(distance):  # otherwise something else keeps it open
        yield (half / distance) ** 2 if distance else math.inf
