"""A cell: one workload, one arm, one kind of measurement."""

from dataclasses import dataclass

from evabench.records.measurement import MeasurementSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.strict import Strict
from evabench.settings.workloads import WorkloadSettings

SETS_TARGET = "sets it"  # in the place of a hash: the runs of this cell set a target, and are never judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Strict):
    """What a run does, apart from its seed: all that the child needs to know."""

    workload_name: str  # the suite's name for it
    workload: WorkloadSettings
    arm: str  # the suite's name for the optimizer with these settings
    optimizer: OptimizerSettings
    measurement: MeasurementSettings
    ranks: int = 1
    threads: int = 1
    target: str | None = None  # the hash of the target that runs have set and that judges this one; or `SETS_TARGET`

    @property
    def sets_target(self) -> bool:
        """Return whether its runs set a target."""
        return self.target == SETS_TARGET

    @property
    def title(self) -> str:
        """Return "autoencoder, Eva, step_time"."""
        role = " that sets the target" if self.sets_target else ""
        return f"{self.workload_name}, {self.arm}, {self.measurement.measurement}{role}"
