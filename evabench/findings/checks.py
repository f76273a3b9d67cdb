"""Whether an arm is what it is called: checks of its runs, each with a name, a threshold and one sentence.

Those of its health are here; whether its conditions were those of the other arms is in `equal_conditions.py`.

A comparison with an arm that fails one is not tested, in both directions: it would be a verdict on something else.
"""

from collections.abc import Iterator

from evabench.findings.arm import MeasuredArm
from evabench.findings.failed_check import FailedCheck
from evabench.records.convergence import Convergence
from evabench.records.health import Health

MAX_LOST_SHARE = 0.01  # of refreshes and of steps: below it a trajectory does not depend on them (JUDGING 5)


def failed_checks(arm: MeasuredArm) -> tuple[FailedCheck, ...]:
    """Return what the runs of an arm failed, each check once."""
    found: dict[str, FailedCheck] = {}
    for check in (*_of_its_health(arm), *arm.unequal):
        found.setdefault(check.name, check)
    return tuple(found.values())


def _of_its_health(arm: MeasuredArm) -> Iterator[FailedCheck]:
    for seed, run in arm.trainings.items():
        health, measured = run.health, run.measured
        if health is None or not isinstance(measured, Convergence) or not measured.evaluations:
            continue
        steps = measured.evaluations[-1].step
        if health.layers_without_statistics:
            names = ", ".join(health.layers_without_statistics)
            yield FailedCheck("fall-back", f"{arm.name} took plain gradient steps in {names} (seed {seed}).")
        skipped = max(health.skipped_steps.values(), default=0)
        if skipped > MAX_LOST_SHARE * steps:
            yield FailedCheck("steps", f"{arm.name} skipped {skipped} of {steps} steps (seed {seed}).")
        lost, refreshes = _lost(health), health.num_layers * max(1, steps // arm.optimizer.cycle_steps)
        if lost > MAX_LOST_SHARE * refreshes:
            yield FailedCheck(
                "refreshes",
                f"{arm.name} kept an old curvature at {lost} of {refreshes} refreshes of a layer (seed {seed}).",
            )


def _lost(health: Health) -> int:
    return health.num_failures + health.num_stale_refreshes
