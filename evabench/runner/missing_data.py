"""Data sets that a plan needs and this machine lacks: seen before a child is started, and told once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from evabench.datasets.catalogue import CATALOGUE
from evabench.datasets.places import how_to_get, is_missing
from evabench.runner.plan import Plan
from evabench.runner.planned_run import PlannedRun
from evabench.settings.datasets import DataName


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingData:
    """One data set, and the runs that wait for it."""

    name: DataName
    num_runs: int

    def tell(self, num_planned: int) -> str:
        """Return how many of the planned runs need it, where it was looked for, and the commands that get it."""
        need = "run needs" if self.num_runs == 1 else "runs need"
        return f"{self.num_runs} of {num_planned} {need} a data set that is not here. {how_to_get(self.name)}"


def missing_data(plan: Plan) -> tuple[MissingData, ...]:
    """Return the data sets that runs of the plan need and no place has, in the order of the plan."""
    # A user's own data has a name of its own, and nobody here knows where it lies.
    needed = Counter(cast(DataName, run.cell.workload.data) for run in plan.left if run.cell.workload.data in CATALOGUE)
    return tuple(MissingData(name=name, num_runs=count) for name, count in needed.items() if is_missing(name))


def without_data(plan: Plan, missing: Sequence[MissingData]) -> Plan:
    """Return the plan without the runs that need one of these data sets. A sweep is of one workload: it goes whole."""
    names = {one.name for one in missing}

    def can_run(run: PlannedRun) -> bool:
        return run.cell.workload.data not in names

    return plan.of(can_run)
