"""Whether a baseline is one: an arm that beats what does not train, or trains at a bad rate, has beaten nothing.

A comparison with such a base decides nothing in either direction, and says why. What follows where the claim's own arm
is weak is in `subject.py`.
"""

from collections.abc import Sequence
from statistics import median

from evabench.claims.collapse import collapse, misses
from evabench.claims.judgement import Remark
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.findings.rate_checks import RateCheck, better_rate
from evabench.findings.tuning import TunedArm
from evabench.settings.claims import TO_TARGET, TRAINED, Claim
from evabench.settings.targets import TargetMetric
from evabench.stats.time_to_target import INFINITE

EARLY_SHARE = 0.1  # of the budget: a target that is reached by then was no target for this base


def weak_base(claim: Claim, base: MeasuredArm, checks: Sequence[RateCheck], target: Goal | None) -> str | None:
    """Return why a base decides nothing: "missed the target in 3 of 8 seeds"; None where it is one.

    What a step costs does not depend on how good a rate is, but a step of what learns nothing is no step.
    """
    if weak := collapse(base):
        return weak
    if claim.quantity in TO_TARGET and target and (missed := misses(base, target)):
        return missed
    rated = badly_rated(claim, base, checks, target)
    return f"{rated}: the baseline's learning rate is not its best" if rated else None


def badly_rated(claim: Claim, arm: MeasuredArm, checks: Sequence[RateCheck], target: Goal | None) -> str | None:
    """Return that an arm trains better at another learning rate; None where no run shows it, or it does not matter."""
    if claim.quantity not in TRAINED:
        return None
    metric: TargetMetric = target.metric if claim.quantity in TO_TARGET and target else "loss"
    if claim.quantity == "validation_accuracy_difference":
        metric = "accuracy"
    rate = better_rate(checks, arm, metric)
    return None if rate is None else f"ends better at the learning rate {rate:.3g} than in any judged seed"


def early_hit(base: MeasuredArm, goal: Goal) -> str | None:
    """Return that a base reaches the target too early for a contest, as a sentence; None where it does not."""
    if base.budget is None:
        return None
    found = base.steps_to(goal).values()
    steps = median([INFINITE if count is None else count for count in found]) if found else INFINITE
    evaluated = steps / base.budget.evaluate_every
    if steps > EARLY_SHARE * base.budget.steps and evaluated > 2:
        return None
    return (
        f"{base.name} reaches the target after {steps:g} of {base.budget.steps} steps: so easy a target says little "
        "about a whole training."
    )


def untried_rate(arm: MeasuredArm, checks: Sequence[RateCheck], trials: Sequence[TunedArm]) -> Remark | None:
    """Return that nobody tried an arm at another learning rate; None where somebody did."""
    tuned = any(one.name == arm.name and "lr" in one.varied for one in trials)
    if tuned or any(check.is_of(arm) for check in checks):
        return None
    return Remark(
        sentence=f"{arm.name} was tried at no other learning rate: a better one may exist.",
        clause=f"{arm.name} tried at one rate",
    )
