"""A cell: one workload, one arm, one kind of measurement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from evabench.records.measurement import MeasurementSettings
from evabench.settings.choices import DeviceKind, Subnormals
from evabench.settings.identity import identity, legacy
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.strict import Strict
from evabench.settings.workloads import WorkloadSettings

# What its runs are for. Those that set a target, choose settings or try a baseline's rate are never judged.
Role = Literal["judged", "sets_target", "tuning", "rate_check"]
_ROLES: Mapping[Role, str] = {
    "judged": "",
    "sets_target": " that sets the target",
    "tuning": " of the tuning",
    "rate_check": " at another rate",
}


class _Remembering(Strict):
    """A cell is asked for its identity at every seed of a plan, and does not change."""

    __slots__ = ("_identity",)
    _identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(_Remembering):
    """What a run does, apart from its seed: all that the child needs to know."""

    workload_name: str  # the suite's name for it
    workload: WorkloadSettings
    arm: str  # the suite's name for the optimizer with these settings
    optimizer: OptimizerSettings
    measurement: MeasurementSettings
    ranks: int = 1
    threads: int = 1
    device: DeviceKind = legacy("cpu")  # the kind of device; which one of several is among the conditions
    deterministic: bool = legacy(False)  # torch refuses what could give another number when it is made again
    subnormals: Subnormals = legacy("keep")  # a suite says "flush" unless it is told otherwise
    process_group: None = legacy(None)  # the backend between ranks; None: one rank, which has none
    role: Role = legacy("judged")
    target: str | None = legacy(None)  # the hash of the target that judges this one
    target_value: None = legacy(None)  # a value at which a run of this cell may stop; None: it goes to its budget

    @property
    def sets_target(self) -> bool:
        """Return whether its runs set a target."""
        return self.role == "sets_target"

    @property
    def title(self) -> str:
        """Return "autoencoder, Eva, step_time"."""
        return f"{self.workload_name}, {self.arm}, {self.measurement.measurement}{_ROLES[self.role]}"

    @property
    def identity(self) -> str:
        """Return all that tells it from another cell, as one line of JSON; made once."""
        try:
            return self._identity
        except AttributeError:
            object.__setattr__(self, "_identity", json.dumps(identity(self), sort_keys=True))
            return self._identity

    @property
    def without_places(self) -> "Cell":
        """Return the cell as it is stored: without the folders of this machine that its plug-ins lie in."""
        optimizer, workload = self.optimizer, self.workload
        if isinstance(optimizer, PluginSettings):
            optimizer = replace(optimizer, lies=None)
        if isinstance(workload, PluginWorkloadSettings):
            workload = replace(workload, lies=None)
        same = optimizer is self.optimizer and workload is self.workload
        return self if same else replace(self, optimizer=optimizer, workload=workload)

    @property
    def without_target(self) -> "Cell":
        """Return the cell as it is before runs have set what judges it."""
        return self if self.target is None else replace(self, target=None)
