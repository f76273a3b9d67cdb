"""[directions]: probes along training runs of their own, with the budget and the schedule of [convergence]."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from evabench.records.measurement import ConvergenceSettings, DirectionsSettings
from evabench.settings.bounds import FORBID, Count, Seed
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.table import Asked, Workloads


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionsTable:
    """How many extra runs are looked at, and at how many steps of each."""

    __pydantic_config__ = FORBID
    seeds: Count
    first_seed: Seed = 0
    probes: Count = 5


@dataclass(frozen=True, slots=True)
class ProbedTraining:
    """The table beside the training that it probes."""

    table: DirectionsTable
    training: ConvergenceTable | None  # None: the suite trains nothing
    in_sweeps: ClassVar[bool] = False

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield each workload's longest training. Raises `ValueError` where nothing is trained."""
        if self.training is None:
            raise ValueError("it probes the training of [convergence], which is not there")
        longest: dict[str, tuple[ConvergenceSettings, Asked]] = {}
        for asked in self.training.asked(workloads):
            assert isinstance(asked.measurement, ConvergenceSettings)
            if asked.workload not in longest or longest[asked.workload][0].steps < asked.measurement.steps:
                longest[asked.workload] = asked.measurement, asked
        for training, asked in longest.values():
            yield replace(asked, measurement=DirectionsSettings(training=training, probes=self.table.probes))

    def run_seeds(self, count: int | None) -> range:
        """Return the seeds; the command line's number is that of the judged ones, and changes nothing here."""
        return range(self.table.first_seed, self.table.first_seed + self.table.seeds)
