"""When a target is too easy to judge by: the judged runs show another first-order arm to be better than its reference.

That can only be seen when they are there, so a suite whose reference is second best is refused behind its runs. A
plug-in's family is not known: it is no first-order arm here.
"""

from collections.abc import Iterable
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.targets import is_reference
from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.settings.targets import TargetMetric
from evabench.stats.time_to_target import INFINITE


def better_first_order_arm(target: SetTarget, arms: Iterable[MeasuredArm]) -> str | None:
    """Return what is better than the reference, and by how much: medians over the seeds that both have; None: none."""
    arms = tuple(arms)
    reference = next((arm for arm in arms if is_reference(arm, target)), None)
    if reference is None:
        return None
    sign = -1.0 if target.metric == "accuracy" else 1.0
    for other in arms:
        if other.optimizer.family != "first-order" or other.budget != reference.budget or other is reference:
            continue
        seeds = reference.trainings.keys() & other.trainings.keys()
        if not seeds:
            continue
        ours, theirs = (
            median(sign * _final(arm.trainings[seed], target.metric) for seed in seeds) for arm in (reference, other)
        )
        if theirs < ours:
            return (
                f"{other.name} has a better median final validation {target.metric} than {reference.name}, which set "
                f"the target ({_number(sign * theirs)} against {_number(sign * ours)} over {len(seeds)} seeds). Name "
                f"{other.name} as the reference"
            )
    return None


def _final(run: Run, metric: TargetMetric) -> float:
    """Return the final validation metric; of a run that did not get there the worst there is."""
    last = run.measured.evaluations[-1] if isinstance(run.measured, Convergence) and run.measured.evaluations else None
    if run.outcome.completed and last is not None:
        score = last.validation_accuracy if metric == "accuracy" else last.validation_loss
        if score is not None:
            return score
    return 0.0 if metric == "accuracy" else INFINITE


def _number(value: float) -> str:
    return "diverged" if value == INFINITE else f"{value:.4g}"
