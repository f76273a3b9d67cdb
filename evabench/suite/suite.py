"""`suites/*.toml` -> cells. A different setting is a different line in a file: there are no overrides.

A suite is small (its tables are the whole of it), or has tiers of one name each: "smoke" shows that everything runs,
"laptop" says something in an hour or a night on two cores, "paper" is the authors' scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeVar

from annotated_types import Ge, Le
from pydantic import Field

from evabench.errors import SuiteError
from evabench.records.cell import Cell
from evabench.records.measurement import MeasurementSettings
from evabench.settings.bounds import FORBID, Positive
from evabench.settings.choices import DeviceKind, Subnormals
from evabench.settings.claims import MIN_SEEDS, TRAINED, Claim
from evabench.settings.first_order import SgdSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.points import at_rate, rate_of
from evabench.settings.workloads import WorkloadSettings
from evabench.suite.convergence import RATE_FACTORS, ConvergenceTable
from evabench.suite.gate import GateTable
from evabench.suite.table import Table
from evabench.suite.tables import Measurements, TierName, TierTable
from evabench.suite.tuning import TuningTable

T = TypeVar("T")

_MAX_THREADS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A whole file."""

    __pydantic_config__ = FORBID
    name: str
    title: str
    description: str
    device: DeviceKind = "cpu"
    deterministic: bool = False
    threads: Annotated[int, Ge(1), Le(_MAX_THREADS)] = 1
    subnormals: Subnormals = "flush"
    seed: int = 0  # draws the order of the arms and the layout of each sweep
    timeout_seconds: Positive = 600.0
    decided_by: str | None = None  # the suite that is large enough to decide what this one cannot
    workloads: Annotated[Mapping[str, WorkloadSettings], Field(min_length=1)]
    arms: Annotated[Mapping[str, OptimizerSettings], Field(min_length=1)]
    measurements: Measurements = field(default_factory=Measurements)
    tiers: Mapping[TierName, TierTable] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()  # about its own arms, judged here alone
    ablations: Annotated[Mapping[str, str], Field(init=False)] = field(default_factory=dict)  # arm -> whose it is
    gate: GateTable | None = None  # None: no change is judged by it
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
            device=table.device or self.device,
            measurements=table.measurements,
            tiers={},
            tier=tier,
        )

    @property
    def convergence(self) -> ConvergenceTable | None:
        """Return how much is trained."""
        return self.measurements.convergence

    @property
    def tuning(self) -> TuningTable | None:
        """Return how the settings of the arms are chosen."""
        return self.measurements.tuning

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return what is measured, by kind, in the order in which the runs are made."""
        return self.measurements.tables

    def cells(self, kind: str) -> tuple[Cell, ...]:
        """Return the cells of a kind of measurement, those of one workload in a row; none where it is not asked for.

        Raises `ValueError` where it cannot be measured on a workload of this suite.
        """
        table = self.tables.get(kind)
        return tuple(
            self._cell(asked.workload, arm, asked.measurement, asked.width_scale)
            for asked in (table.asked(self.workloads) if table else ())
            for arm in self.arms
            if arm not in asked.without
        )

    def one_cell(self, workload: str, arm: str, settings: MeasurementSettings) -> Cell:
        """Return the cell of one workload and arm. Raises `SuiteError` where the suite does not have them."""
        where = f"the suite {self.name}" + (f" at tier {self.tier}" if self.tier else "")
        for what, name, known in (("workload", workload, self.workloads), ("arm", arm, self.arms)):
            if name not in known:
                raise SuiteError(f'{where} has no {what} "{name}". It has: {", ".join(known)}')
        return self._cell(workload, arm, settings)

    def target_cells(self) -> tuple[Cell, ...]:
        """Return the cells whose runs set the targets: the reference of each workload that has one, at each budget."""
        table = self.convergence
        return tuple(
            replace(self._cell(asked.workload, arm, asked.measurement), role="sets_target")
            for arm, asked in (table.asked_references(self.workloads) if table else ())
        )

    def trial_cells(self) -> tuple[Cell, ...]:
        """Return the cells of the tuning: the points of each arm in a row, under the arm's own name.

        Raises `ValueError` where the budget of a trial is not one, or a point is refused by its optimizer.
        """
        table, trained = self.tuning, self.convergence
        if table is None or trained is None:
            return ()
        name = table.workload or next(iter(self.workloads))
        settings = trained.trial(self.workloads[name].steps_per_epoch, table.steps, table.evaluate_every)
        return tuple(
            replace(self._cell(name, arm, settings), optimizer=point, role="tuning")
            for arm, optimizer in self.arms.items()
            for point in table.points(arm, optimizer)
        )

    @property
    def reference_arm(self) -> str:
        """Return the arm that the others are compared with: the first SGD, else the first of the file."""
        return next((name for name, settings in self.arms.items() if _is_sgd(settings)), next(iter(self.arms)))

    def rate_check_cells(self) -> tuple[Cell, ...]:
        """Return the cells of each base at a third of its learning rate and at three times it, at each budget."""
        table = self.convergence
        if table is None or table.check_rates is False:
            return ()
        return tuple(
            replace(
                self._cell(asked.workload, arm, asked.measurement),
                optimizer=at_rate(settings, rate * factor),
                role="rate_check",
            )
            for asked in table.asked(self.workloads)
            for arm, settings in self.arms.items()
            if arm not in asked.without and arm in self._checked_rivals(asked.workload)
            if (rate := rate_of(settings)) is not None
            for factor in RATE_FACTORS
        )

    def _checked_rivals(self, workload: str) -> set[str]:
        """Return the rivals of the claims that compare trainings on a workload; the reference where it is asked for."""
        trained = [claim for claim in self.claims if claim.quantity in TRAINED]
        claims = [claim for claim in trained if not claim.workloads or workload in claim.workloads]
        rivals = {name for claim in claims for name in claim.rivals}
        return rivals | ({self.reference_arm} if self._checks_the_reference(workload) else set())

    def _checks_the_reference(self, workload: str) -> bool:
        """Return whether the reference of a suite without claims is checked: asked for, or its seeds may decide."""
        if self.convergence is None or self.claims:
            return False
        decides = self.convergence.seeds >= MIN_SEEDS and not self.workloads[workload].stand_in
        return decides if self.convergence.check_rates is None else self.convergence.check_rates

    def _cell(self, name: str, arm: str, measurement: MeasurementSettings, scale: float = 1.0) -> Cell:
        workload = self.workloads[name]
        return Cell(
            workload_name=name if scale == 1.0 else f"{name} x{scale:g}",
            workload=workload if scale == 1.0 else workload.scaled(scale),
            arm=arm,
            optimizer=self.arms[arm],
            measurement=measurement,
            threads=self.threads,
            device=self.device,
            deterministic=self.deterministic,
            subnormals=self.subnormals,
        )


def _is_sgd(settings: OptimizerSettings) -> bool:
    return isinstance(settings, SgdSettings) or (
        isinstance(settings, PluginSettings) and settings.name == "torch.optim:SGD"
    )


def _chosen(every: Mapping[str, T], names: tuple[str, ...] | None) -> Mapping[str, T]:
    return every if names is None else {name: every[name] for name in names}
