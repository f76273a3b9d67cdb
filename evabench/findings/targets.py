"""Which target a comparison takes: a number of the suite, or one that runs have set.

A target that runs have set belongs to one budget of one workload, and the judged runs carry its hash. Where two
budgets are compared, it is that of the reference's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.findings.target_rule import NoTarget
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.suite.suite import Suite

Level = Literal["value", "easier", "harder"]
OTHER_LEVELS: tuple[Level, ...] = ("easier", "harder")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFindings:
    """What the stored runs say of the targets that this suite lets runs set."""

    found: tuple[SetTarget, ...] = ()
    none: tuple[NoTarget, ...] = ()  # what is not set, and why
    other_runs: tuple[Run, ...] = ()  # judged runs that are stored with another target, or without one
    num_tried: Mapping[str, int] = field(default_factory=dict)  # by workload: targets that stored runs were judged by


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
        found = self._on_workload(arm)
        if found:
            return next((one.hash for one in found if one.cell.measurement == arm.budget), None)
        number = self.numbers.get(arm.workload_name)
        return number.hash if number else None

    def carried_by(self, arm: MeasuredArm) -> bool:
        """Return whether the training runs of an arm, if there are any, carry their target.

        Runs from before a number had a hash carry none, and are judged by the number.
        """
        before = arm.target is None and not self._on_workload(arm)
        return not arm.trainings or before or arm.target == self.hash_for(arm)

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
    return (arm.name, arm.optimizer, arm.budget) == (cell.arm, cell.optimizer, cell.measurement)


def with_their_target(arms: Sequence[MeasuredArm], targets: Targets) -> list[MeasuredArm]:
    """Return the arms without those series of runs beside which there is one that carries its target."""
    carried = {_series(arm) for arm in arms if arm.target == targets.hash_for(arm)}
    return [arm for arm in arms if arm.target == targets.hash_for(arm) or _series(arm) not in carried]


def _series(arm: MeasuredArm) -> tuple[str, str, str]:
    return arm.name, repr(arm.optimizer), repr(arm.series)


def num_targets_tried(suite: Suite, runs: Iterable[Run]) -> dict[str, int]:
    """Return by how many targets the trainings of each workload were to be judged, where its target is a number.

    A target that runs set is another one with every change of the code, and nobody chose it.
    """
    tried: dict[str, set[str]] = {name: set() for name in goals_of(suite)}
    for run in runs:
        if run.cell.role == "judged" and run.cell.target is not None and run.cell.workload_name in tried:
            tried[run.cell.workload_name].add(run.cell.target)
    return {workload: len(hashes) for workload, hashes in tried.items()}


def goals_of(suite: Suite) -> dict[str, Goal]:
    """Return the targets that are a number of the suite, by workload."""
    targets = suite.convergence.targets if suite.convergence else {}
    return {name: Goal(one.value, one.metric) for name, one in targets.items() if one.value is not None}
