"""A cell: one workload, one arm, one kind of measurement."""

from dataclasses import dataclass

from evabench.settings.measurement import MeasurementSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a run does, apart from its seed: all that the child needs to know."""

    workload_name: str  # the suite's name for it
    workload: WorkloadSettings
    arm: str  # the suite's name for the optimizer with these settings
    optimizer: OptimizerSettings
    measurement: MeasurementSettings
    ranks: int = 1
    threads: int = 1

    @property
    def title(self) -> str:
        """Return "autoencoder, Eva, step_time"."""
        return f"{self.workload_name}, {self.arm}, {self.measurement.measurement}"
