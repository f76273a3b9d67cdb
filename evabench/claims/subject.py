"""What follows where the arm that a claim speaks for is weak itself: it diverged, learned nothing, missed, ran badly.

    a claim of a paper   nothing, in either direction: the paper did not choose these settings
    a claim of a suite   it supports nothing; it may refute, and says first why, for the suite chose them

So a claim that is asked the other way round ("SGD is no later than Eva") gains nothing by a bad SGD, and loses nothing.
A miss by settings that are the best of the arm's own trials, inside their ranges, is an answer to a paper too.
"""

from collections.abc import Sequence

from evabench.claims.baseline import badly_rated, untried_rate
from evabench.claims.collapse import collapse, misses
from evabench.claims.judgement import Remark
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.findings.rate_checks import RateCheck
from evabench.findings.tuning import TunedArm
from evabench.settings.claims import TO_TARGET, TRAINED, Claim


def decides_nothing(
    claim: Claim, arm: MeasuredArm, checks: Sequence[RateCheck], trials: Sequence[TunedArm], target: Goal | None
) -> str | None:
    """Return why this arm decides nothing about a claim that was made elsewhere; None where nothing is in the way."""
    if claim.local:
        return None
    weak = collapse(arm)
    if weak is None and not _at_its_best(arm, trials):
        weak = _misses(claim, arm, target)
    weak = weak or badly_rated(claim, arm, checks, target)
    return f"has a weak arm: {arm.name} {weak}, with settings of this suite's" if weak else None


def supports_nothing(claim: Claim, arm: MeasuredArm, checks: Sequence[RateCheck], target: Goal | None) -> str | None:
    """Return why this arm supports nothing, whatever its figures say; None where nothing is in the way."""
    weak = collapse(arm) or _misses(claim, arm, target)
    if weak is None and claim.arm in claim.rivals:
        weak = badly_rated(claim, arm, checks, target)
    return f"has a weak arm: {arm.name} {weak}" if weak else None


def refuted_by(
    claim: Claim, arm: MeasuredArm, checks: Sequence[RateCheck], trials: Sequence[TunedArm], target: Goal | None
) -> Remark | None:
    """Return what a refutation says first where the arm was not at its best; None where it was."""
    weak = collapse(arm) or badly_rated(claim, arm, checks, target)
    if weak:
        return Remark(sentence=f"{arm.name} {weak}: what was judged is its settings.", clause="a weak arm")
    return untried_rate(arm, checks, trials) if claim.quantity in TRAINED else None


def refuted_beside(base: MeasuredArm) -> Remark | None:
    """Return what a refutation says first where its base does not train; None where it does."""
    weak = collapse(base)
    return Remark(sentence=f"{base.name} {weak}: that is no step of training.", clause="a weak base") if weak else None


def _misses(claim: Claim, arm: MeasuredArm, target: Goal | None) -> str | None:
    return misses(arm, target) if claim.quantity in TO_TARGET and target else None


def _at_its_best(arm: MeasuredArm, trials: Sequence[TunedArm]) -> bool:
    """Return whether the arm has the settings that did best in its own trials, none of them at an edge."""
    own = [one for one in trials if one.name == arm.name and one.best and one.best.settings == arm.optimizer]
    return any(not one.edges for one in own)
