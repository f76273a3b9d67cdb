"""Whether a baseline is one: an arm that beats what does not train, or trains at a bad rate, has beaten nothing.

A comparison with such a base decides nothing in either direction, and says why.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.findings.rate_checks import RateCheck, better_rate
from evabench.findings.tuning import TunedArm
from evabench.settings.targets import TargetMetric
from evabench.stats.time_to_target import INFINITE

MAX_SHARE = 0.25  # of the seeds that may miss, fail or learn nothing: as of the arm that sets a target (JUDGING 4)
EARLY_SHARE = 0.1  # of the budget: a target that is reached by then was no target for this base


def weaknesses(base: MeasuredArm, checks: Sequence[RateCheck], goal: Goal | None) -> Iterator[str]:
    """Yield why a base decides nothing: "missed the target in 3 of 8 seeds". `goal`: that the comparison is about."""
    if not base.trainings:
        return
    seeds = len(base.trainings)
    missed = sum(steps is None for steps in base.steps_to(goal).values()) if goal else 0
    failed = sum(not run.outcome.completed for run in base.trainings.values())
    for count, what in (
        (failed, "did not get to the end of its budget"),
        (missed, "missed the target"),
        (len(base.learned_nothing), "learned nothing"),
    ):
        if count > MAX_SHARE * seeds:
            yield f"{what} in {count} of {seeds} seeds"
            return  # what failed has missed too
    metric: TargetMetric = goal.metric if goal else "loss"
    rate = better_rate(checks, base, metric)
    if rate is not None:
        yield (
            f"ends better at the learning rate {rate:.3g} than in any judged seed: the baseline's learning rate is "
            "not its best"
        )


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


def untried_rate(base: MeasuredArm, checks: Sequence[RateCheck], trials: Sequence[TunedArm]) -> str | None:
    """Return that nobody tried a base at another learning rate, as a sentence; None where somebody did."""
    tuned = any(one.name == base.name and "lr" in one.varied for one in trials)
    if tuned or any(check.is_of(base) for check in checks):
        return None
    return f"{base.name} was tried at no other learning rate: a better one may exist."
