"""The target of a table, and where it comes from, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from evabench.records.measurement import ConvergenceSettings
from evabench.records.set_target import SetTarget
from evabench.runner.targets import TargetFindings
from evabench.settings.targets import EASIER_AT, HARDER_AT
from evabench.stats.time_to_target import Goal
from evabench.suite.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTarget:
    """What is to be reached on one workload at one budget."""

    goal: Goal
    provenance: str

    @property
    def words(self) -> str:
        """Return "Target: validation loss 0.07 at two evaluations in a row; the paper's table 3."."""
        return f"Target: {self.goal.words} at two evaluations in a row; {self.provenance}."


def numbers_of(suite: Suite) -> dict[str, Goal]:
    """Return the targets that are a number of the suite, by workload."""
    targets = suite.convergence.targets if suite.convergence else {}
    return {name: Goal(one.value, one.metric) for name, one in targets.items() if one.value is not None}


def reported_target(
    suite: Suite, name: str, budget: ConvergenceSettings | None, set_targets: Sequence[SetTarget]
) -> ReportedTarget | None:
    """Return the target of a workload at a budget; None where there is none, or runs have yet to set it."""
    asked = suite.convergence.targets.get(name) if suite.convergence else None
    if asked is None:
        return None
    if asked.value is not None:
        return ReportedTarget(goal=Goal(asked.value, asked.metric), provenance=asked.provenance or "")
    for one in set_targets:
        if (one.cell.workload_name, one.cell.measurement) == (name, budget):
            return ReportedTarget(goal=Goal(one.value, one.metric), provenance=_provenance(one))
    return None


def target_warnings(targets: TargetFindings) -> tuple[str, ...]:
    """Return what a reader has to know about targets that runs set: which are not set, and what carries another."""
    found = [f"{one.cell.workload_name} has no target: {one.reason}." for one in targets.none]
    if targets.other_runs:
        found.append(
            f"{len(targets.other_runs)} stored training runs carry no target, or another than the one that is set now: "
            "they are not used."
        )
    return tuple(found)


def _provenance(target: SetTarget) -> str:
    easier, harder = (Goal(value, target.metric) for value in (target.easier, target.harder))
    return (
        f"set by {target.cell.arm}: {target.num_hits} of {len(target.run_keys)} target-setting seeds reach it within "
        f"{100 * target.at:g} % of the budget (within {100 * EASIER_AT:g} %: {easier.number}; within "
        f"{100 * HARDER_AT:g} %: {harder.number})"
    )
