"""`suites/*.toml` -> cells. A different setting is a different line in a file: there are no overrides.

A suite is small (its tables are the whole of it), or has tiers of one name each: "smoke" shows that everything runs,
"laptop" says something in an hour or a night on two cores, "paper" is the authors' scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from pydantic import Field

from evabench.errors import SuiteError
from evabench.records.cell import Cell
from evabench.records.measurement import MemorySettings, PhasesSettings, ProfileSettings, StepTimeSettings
from evabench.settings.bounds import FORBID, Count, Positive
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.suite.tables import (
    ConvergenceTable,
    MechanismTable,
    MemoryTable,
    PhasesTable,
    RateTable,
    TierName,
    TierTable,
    TimingTable,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A whole file."""

    __pydantic_config__ = FORBID
    name: str
    title: str
    description: str
    threads: Count = 1
    seed: int = 0  # draws the order of the arms and the layout of each sweep
    timeout_seconds: Positive = 600.0
    decided_by: str | None = None  # the suite that is large enough to decide what this one cannot
    workloads: Annotated[Mapping[str, WorkloadSettings], Field(min_length=1)]
    arms: Annotated[Mapping[str, OptimizerSettings], Field(min_length=1)]
    step_time: TimingTable | None = None
    phases: PhasesTable | None = None
    memory: MemoryTable | None = None
    convergence: ConvergenceTable | None = None
    mechanism: MechanismTable | None = None
    rate: RateTable | None = None
    tiers: Mapping[TierName, TierTable] = field(default_factory=dict)
    tier: Annotated[str | None, Field(init=False)] = None  # the one that was chosen

    def at(self, tier: str) -> "Suite":
        """Return the suite as its tables of one tier have it. Raises `SuiteError` where it has no such tier."""
        tables = {str(name): table for name, table in self.tiers.items()}
        if tier not in tables:
            has = ", ".join(self.tiers) or "none: it has one size"
            raise SuiteError(f'the suite {self.name} has no tier "{tier}". It has: {has}')
        table = tables[tier]
        return replace(
            self,
            workloads=_chosen(self.workloads, table.workloads),
            arms=_chosen(self.arms, table.arms),
            timeout_seconds=table.timeout_seconds or self.timeout_seconds,
            step_time=table.step_time,
            phases=table.phases,
            memory=table.memory,
            convergence=table.convergence,
            mechanism=table.mechanism,
            rate=table.rate,
            tiers={},
            tier=tier,
        )

    def timing_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        return tuple(self._cell(name, arm, StepTimeSettings()) for name in self.workloads for arm in self.arms)

    def phases_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm."""
        if self.phases is None:
            return ()
        settings = PhasesSettings(min_steps=self.phases.min_steps)
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def profile_cell(self, workload: str, arm: str, settings: ProfileSettings) -> Cell:
        """Return the cell of one workload and arm. Raises `SuiteError` where the suite does not have them."""
        where = f"the suite {self.name}" + (f" at tier {self.tier}" if self.tier else "")
        for what, name, known in (("workload", workload, self.workloads), ("arm", arm, self.arms)):
            if name not in known:
                raise SuiteError(f'{where} has no {what} "{name}". It has: {", ".join(known)}')
        return self._cell(workload, arm, settings)

    def memory_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload, width and arm."""
        scales = self.memory.width_scales if self.memory else ()
        return tuple(
            self._cell(name, arm, MemorySettings(), scale)
            for name in self.workloads
            for scale in scales
            for arm in self.arms
        )

    def convergence_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm; the seeds are the runs of a cell."""
        table = self.convergence
        if table is None:
            return ()
        cells = []
        for name, workload in self.workloads.items():
            for settings in table.settings_for(workload.steps_an_epoch):
                cells += [self._cell(name, arm, settings) for arm in self.arms if arm not in table.without]
        return tuple(cells)

    def target_cells(self) -> tuple[Cell, ...]:
        """Return the cells whose runs set the targets: the reference of each workload that has one, at each budget."""
        table = self.convergence
        if table is None:
            return ()
        return tuple(
            replace(self._cell(name, target.reference, settings), role="sets_target")
            for name, target in table.targets.items()
            if target.reference is not None
            for settings in table.settings_for(self.workloads[name].steps_an_epoch)
        )

    def mechanism_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm; the seeds are the runs of a cell."""
        if self.mechanism is None:
            return ()
        settings = self.mechanism.settings()
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def rate_cells(self) -> tuple[Cell, ...]:
        """Return one cell for each workload and arm. Raises `ValueError` for a workload that is no quadratic."""
        if self.rate is None:
            return ()
        others = [name for name, each in self.workloads.items() if not isinstance(each, QuadraticSettings)]
        if others:
            raise ValueError(f'a rate is that of a workload "quadratic", which these are not: {", ".join(others)}')
        settings = self.rate.settings()
        return tuple(self._cell(name, arm, settings) for name in self.workloads for arm in self.arms)

    def _cell(self, name: str, arm: str, measurement: Any, scale: float = 1.0) -> Cell:
        workload = self.workloads[name]
        return Cell(
            workload_name=name if scale == 1.0 else f"{name} x{scale:g}",
            workload=workload if scale == 1.0 else workload.scaled(scale),
            arm=arm,
            optimizer=self.arms[arm],
            measurement=measurement,
            threads=self.threads,
        )


def _chosen(every: Mapping[str, T], names: tuple[str, ...] | None) -> Mapping[str, T]:
    return every if names is None else {name: every[name] for name in names}
