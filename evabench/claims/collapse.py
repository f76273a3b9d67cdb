"""Whether an arm trained at all, and got to its target, in enough of its seeds: asked of bases and of arms."""

from collections.abc import Set

from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal

MAX_SHARE = 0.25  # of the seeds that may miss, fail or learn nothing: as of the arm that sets a target (JUDGING 4)


def collapse(arm: MeasuredArm) -> str | None:
    """Return that an arm did not train: "learned nothing in 3 of 8 seeds"; None where it did, or was not asked to."""
    failed = {seed for seed, run in arm.trainings.items() if not run.outcome.completed}
    stuck = arm.learned_nothing.keys()
    return (
        _too_often(arm, failed, "did not get to the end of its budget")
        or _too_often(arm, stuck, "learned nothing")
        or _too_often(arm, failed | stuck, "failed or learned nothing")
    )


def misses(arm: MeasuredArm, goal: Goal) -> str | None:
    """Return that an arm missed a target: "missed the target in 3 of 8 seeds"; None where it did not."""
    missed = {seed for seed, steps in arm.steps_to(goal).items() if steps is None}
    return _too_often(arm, missed, "missed the target") or _too_often(
        arm, missed | arm.learned_nothing.keys(), "missed the target or learned nothing"
    )


def _too_often(arm: MeasuredArm, seeds: Set[int], what: str) -> str | None:
    num_seeds = len(arm.trainings)
    return f"{what} in {len(seeds)} of {num_seeds} seeds" if len(seeds) > MAX_SHARE * num_seeds else None
