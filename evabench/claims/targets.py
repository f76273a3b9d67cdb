"""Which target a comparison takes: a number of the suite, or one that runs have set; and when it must not be made.

A target that runs have set belongs to one budget of one workload, and the judged runs carry its hash. Where a claim
compares two budgets, it is that of the reference's own. A comparison is refused where

- runs carry no target, or another one than that of their own budget: they were made before it was set, or changed;
- the judged runs show another first-order arm to be better than the reference: the target would be too easy for it.
  That can only be seen when they are there, so a suite whose reference is second best is refused behind its runs.
  A plug-in's family is not known: it is no first-order arm here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from evabench.findings.arms import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.settings.targets import TargetMetric
from evabench.stats.time_to_target import INFINITE, Goal

Level = Literal["value", "easier", "harder"]
OTHER_LEVELS: tuple[Level, ...] = ("easier", "harder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """All targets of some runs, at one of three levels: what is a number is the same at each."""

    numbers: Mapping[str, Goal]  # by the suite's name for the workload
    set_by_runs: tuple[SetTarget, ...] = ()
    level: Level = "value"

    def at(self, level: Level) -> "Targets":
        """Return the easier or the harder targets."""
        return replace(self, level=level)

    def goal(self, target: SetTarget) -> Goal:
        """Return what is to be reached, at this level."""
        return Goal(getattr(target, self.level), target.metric)

    def hash_for(self, arm: MeasuredArm) -> str | None:
        """Return what the training runs of an arm have to carry; None where nothing."""
        own = (one for one in self._on_workload(arm) if one.cell.measurement == arm.budget)
        return next((one.hash for one in own), None)

    def carried_by(self, arm: MeasuredArm) -> bool:
        """Return whether the training runs of an arm, if there are any, carry their target."""
        return not arm.trainings or arm.target == self.hash_for(arm)

    def reference_target(self, arms: Sequence[MeasuredArm]) -> SetTarget | None:
        """Return the target that runs have set for these arms of one workload, each at one budget."""
        found = self._on_workload(arms[0])
        by_its_budget = [one for one in found for arm in arms if is_reference(arm, one)]
        return by_its_budget[0] if by_its_budget else found[0] if len(found) == 1 else None

    def _on_workload(self, arm: MeasuredArm) -> list[SetTarget]:
        wanted = (arm.workload_name, arm.workload, arm.threads)
        return [
            one for one in self.set_by_runs if (one.cell.workload_name, one.cell.workload, one.cell.threads) == wanted
        ]


def is_reference(arm: MeasuredArm, target: SetTarget) -> bool:
    """Return whether an arm is the one that set a target, at its budget."""
    cell = target.cell
    return (arm.arm, arm.optimizer, arm.budget) == (cell.arm, cell.optimizer, cell.measurement)


def with_their_target(arms: Sequence[MeasuredArm], targets: Targets) -> list[MeasuredArm]:
    """Return the arms without those series of runs beside which there is one that carries its target."""
    carried = {_series(arm) for arm in arms if targets.carried_by(arm)}
    return [arm for arm in arms if targets.carried_by(arm) or _series(arm) not in carried]


def _series(arm: MeasuredArm) -> tuple[str, str, str]:
    return arm.arm, repr(arm.optimizer), repr(arm.series)


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
                f"{other.arm} has a better median final validation {target.metric} than {reference.arm}, which set the "
                f"target ({_number(sign * theirs)} against {_number(sign * ours)} over {len(seeds)} seeds). Name "
                f"{other.arm} as the reference"
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
