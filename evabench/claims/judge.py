"""The rules of a verdict: bounds of each workload in, one answer and its reason out.

    relation         supported                                      refuted
    at_least r       every L >= r (1 - tol), alpha each             some U < r (1 - tol), alpha / k
    at_most r        every U <= r (1 + tol), alpha each             some L > r (1 + tol), alpha / k
    up_to r          some L >= r (1 - tol), alpha / k               complete, and every U < r (1 - tol), alpha each
    equal_within d   every 1 - 2 alpha interval inside +-d          one wholly outside, at 1 - alpha / k
    not_worse_by m   every L > -m, alpha each                       some U < -m, alpha / k; of losses log(1 + m)
    exact            it holds at every counted width (at least 4)   it fails at one

L and U are one-sided bounds on one of k workloads: those that the claim names, else those that were measured. "Every"
takes every workload of the claim, "some" shares the error between the k chances to be lucky. All else is inconclusive.
A workload with fewer than 6 timing pairs or 8 seeds decides nothing either way, and one with a weak arm supports
nothing (`subject.py`). Which workloads there are is the caller's to say: `complete`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evabench.claims.judgement import Verdict
from evabench.settings.claims import MIN_SEEDS, Claim
from evabench.stats.equivalence import ratio_equivalence
from evabench.stats.interval import Bounds
from evabench.stats.non_inferiority import relative_margin
from evabench.stats.widths import MIN_WIDTHS

MIN_PAIRS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadBounds:
    """What was measured on one workload."""

    workload: str
    bounds: Bounds
    num_pairs: int | None = None  # None: this quantity needs no step times
    num_seeds: int | None = None  # None: this quantity needs no training runs
    doubt: str | None = None  # why these bounds decide nothing however many there are; None: no such reason
    unsupportive: str | None = None  # why they support nothing, and may refute; None: no such reason

    @property
    def to_support(self) -> str | None:
        """Return what stands in the way of supporting a claim; None where there is enough for it."""
        return self.obstacle or self.unsupportive

    @property
    def obstacle(self) -> str | None:
        """Return "needs 8 seeds, has 3"; None where there is enough to decide."""
        missing = [self.doubt] if self.doubt else []
        if self.num_seeds is not None and self.num_seeds < MIN_SEEDS:
            missing.append(f"needs {MIN_SEEDS} seeds, has {self.num_seeds}")
        if self.num_pairs is not None and self.num_pairs < MIN_PAIRS:
            missing.append(f"needs {MIN_PAIRS} timing pairs, has {self.num_pairs}")
        return " and ".join(missing) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict and the sentence that explains it."""

    verdict: Verdict
    reason: str


def judge(claim: Claim, measured: Sequence[WorkloadBounds], *, complete: bool) -> Answer:
    """Return the verdict of a sampled claim.

    `complete`: every workload that the verdict speaks about is in `measured`. Without it nothing that takes "every"
    workload can be decided. An `up_to` claim can only be complete under the claim's own conditions: whatever other
    workloads say, they cannot refute it.
    """
    if not measured:
        return Answer(verdict=Verdict.NOT_TESTED, reason="Nothing was measured that bears on this claim.")
    match claim.relation:
        case "at_least":
            return _at_least(claim, measured, complete)
        case "at_most":
            return _at_most(claim, measured, complete)
        case "up_to":
            return _up_to(claim, measured, complete)
        case "equal_within":
            return _equal_within(claim, measured, complete)
        case "not_worse_by":
            return _not_worse_by(claim, measured, complete)
        case "exact":
            raise ValueError(f"claim {claim.id} is counted, not sampled: use judge_exact")


def judge_exact(conditions: Sequence[tuple[str, bool]], num_widths: int, *, complete: bool) -> Answer:
    """Return the verdict of a counted claim: it needs no pairs and no seeds.

    `conditions` are sentences and whether each holds; `num_widths` counts the least covered of them. `complete`:
    every condition of the claim could be checked.
    """
    failed = [sentence for sentence, holds in conditions if not holds]
    if failed:
        return Answer(verdict=Verdict.REFUTED, reason=f"Counted, it fails: {_listed(failed)}.")
    if not conditions:
        return Answer(verdict=Verdict.NOT_TESTED, reason="Nothing was counted that bears on this claim.")
    if num_widths < MIN_WIDTHS:
        return _inconclusive(f"It needs {MIN_WIDTHS} counted widths, has {num_widths}.")
    if not complete:
        return _inconclusive("It holds where it was counted, but not all of it was counted.")
    return Answer(
        verdict=Verdict.SUPPORTED, reason=f"Counted exactly: {_listed(sentence for sentence, _ in conditions)}."
    )


def _listed(sentences: Iterable[str]) -> str:
    """Return each sentence once, with the number of nets of which it was found."""
    times = Counter(sentences)
    return "; ".join(sentence if number == 1 else f"{sentence} ({number} nets)" for sentence, number in times.items())


def _at_least(claim: Claim, measured: Sequence[WorkloadBounds], complete: bool) -> Answer:
    threshold = claim.number * (1 - claim.tolerance)
    wanted, shared = _wanted(claim, threshold), _shared(claim, measured)
    for one in _decisive(measured):
        if (upper := one.bounds.upper_bound(shared)) < threshold:
            return _refuted(f"On {one.workload} the upper bound {upper:.3g} is below {wanted}.")
    lowest = _lowest(measured, claim.alpha)
    if _every_can_support(measured, complete) and lowest >= threshold:
        return _supported(f"The lower bound is at least {wanted} on every workload; the lowest is {lowest:.3g}.")
    return _undecided(measured, complete, f"A lower bound of {lowest:.3g} does not decide against {wanted}.")


def _at_most(claim: Claim, measured: Sequence[WorkloadBounds], complete: bool) -> Answer:
    threshold = claim.number * (1 + claim.tolerance)
    wanted, shared = _wanted(claim, threshold), _shared(claim, measured)
    for one in _decisive(measured):
        if (lower := one.bounds.lower_bound(shared)) > threshold:
            return _refuted(f"On {one.workload} the lower bound {lower:.3g} is above {wanted}.")
    highest = _highest(measured, claim.alpha)
    if _every_can_support(measured, complete) and highest <= threshold:
        return _supported(f"The upper bound is at most {wanted} on every workload; the highest is {highest:.3g}.")
    return _undecided(measured, complete, f"An upper bound of {highest:.3g} does not decide against {wanted}.")


def _up_to(claim: Claim, measured: Sequence[WorkloadBounds], complete: bool) -> Answer:
    threshold = claim.number * (1 - claim.tolerance)
    wanted, shared = _wanted(claim, threshold), _shared(claim, measured)
    for one in _decisive(measured):
        if one.to_support is None and (lower := one.bounds.lower_bound(shared)) >= threshold:
            return _supported(f"On {one.workload} the lower bound {lower:.3g} is at least {wanted}.")
    highest = _highest(measured, claim.alpha)
    if len(_decisive(measured)) == len(measured) and highest < threshold:
        if complete:
            return _refuted(f"On every workload of the claim the upper bound is below {wanted}.")
        return _inconclusive(
            f"It was not reached here (highest upper bound {highest:.3g}, needed {wanted}), but an "
            '"up to" is refuted only on all of the claim\'s own workloads, under its conditions.'
        )
    lowest = max(one.bounds.lower_bound(shared) for one in measured)
    return _undecided(
        measured, True, f"The best lower bound {lowest:.3g} and upper bound {highest:.3g} leave {wanted} open."
    )


def _equal_within(claim: Claim, measured: Sequence[WorkloadBounds], complete: bool) -> Answer:
    margin, shared = claim.number, _shared(claim, measured)
    answers = {one.workload: ratio_equivalence(one.bounds, margin, claim.alpha, shared) for one in _decisive(measured)}
    different = [workload for workload, answer in answers.items() if answer == "different"]
    if different:
        return _refuted(f"On {', '.join(different)} the interval lies wholly outside +-{margin:.3g}.")
    if _every_can_support(measured, complete) and all(answer == "equal" for answer in answers.values()):
        return _supported(f"On every workload the interval lies inside +-{margin:.3g}.")
    return _undecided(measured, complete, f"An interval reaches across +-{margin:.3g}.")


def _not_worse_by(claim: Claim, measured: Sequence[WorkloadBounds], complete: bool) -> Answer:
    is_ratio = claim.quantity == "validation_loss_ratio"
    floor = -relative_margin(claim.number) if is_ratio else -claim.number
    wanted = f"{floor:.3g} ({100 * claim.number:g} % as a logarithm)" if is_ratio else f"{floor:.3g}"
    shared = _shared(claim, measured)
    for one in _decisive(measured):
        if (upper := one.bounds.upper_bound(shared)) < floor:
            return _refuted(f"On {one.workload} the upper bound {upper:.3g} is below {wanted}.")
    lowest = _lowest(measured, claim.alpha)
    if _every_can_support(measured, complete) and lowest > floor:
        return _supported(f"The lower bound is above {wanted} on every workload; the lowest is {lowest:.3g}.")
    return _undecided(measured, complete, f"A lower bound of {lowest:.3g} does not decide against {wanted}.")


def _wanted(claim: Claim, threshold: float) -> str:
    """Return what bounds are held against: "0.95 (1 less the tolerance of 5 %)", or "1" where nothing is tolerated."""
    if not claim.tolerance:
        return f"{threshold:.3g}"
    beyond = "less" if threshold < claim.number else "plus"
    return f"{threshold:.3g} ({claim.number:.3g} {beyond} the tolerance of {100 * claim.tolerance:g} %)"


def _shared(claim: Claim, measured: Sequence[WorkloadBounds]) -> float:
    return claim.alpha / max(claim.num_workloads, len(measured))


def _decisive(measured: Sequence[WorkloadBounds]) -> list[WorkloadBounds]:
    return [one for one in measured if one.obstacle is None]


def _every_can_support(measured: Sequence[WorkloadBounds], complete: bool) -> bool:
    return complete and all(one.to_support is None for one in measured)


def _lowest(measured: Sequence[WorkloadBounds], alpha: float) -> float:
    return min(one.bounds.lower_bound(alpha) for one in measured)


def _highest(measured: Sequence[WorkloadBounds], alpha: float) -> float:
    return max(one.bounds.upper_bound(alpha) for one in measured)


def _undecided(measured: Sequence[WorkloadBounds], complete: bool, otherwise: str) -> Answer:
    short = [f"{one.workload} {one.to_support}" for one in measured if one.to_support]
    if short:
        return _inconclusive(f"It cannot be decided: {'; '.join(short)}.")
    if not complete:
        return _inconclusive("Not every workload of the claim was run.")
    return _inconclusive(otherwise)


def _supported(reason: str) -> Answer:
    return Answer(verdict=Verdict.SUPPORTED, reason=reason)


def _refuted(reason: str) -> Answer:
    return Answer(verdict=Verdict.REFUTED, reason=reason)


def _inconclusive(reason: str) -> Answer:
    return Answer(verdict=Verdict.INCONCLUSIVE, reason=reason)
