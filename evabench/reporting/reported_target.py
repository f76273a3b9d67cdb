"""The target of a table, and where it comes from, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from evabench.findings.goals import Goal
from evabench.records.measurement import ConvergenceSettings
from evabench.records.set_target import SetTarget
from evabench.settings.targets import EASIER_AT, HARDER_AT
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


def _provenance(target: SetTarget) -> str:
    easier, harder = (Goal(value, target.metric) for value in (target.easier, target.harder))
    return (
        f"set by {target.cell.arm}: {target.num_hits} of {len(target.run_keys)} target-setting seeds reach it within "
        f"{100 * target.at:g} % of the budget (within {100 * EASIER_AT:g} %: {easier.number}; within "
        f"{100 * HARDER_AT:g} %: {harder.number})"
    )
