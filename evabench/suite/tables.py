"""The tables of a suite file that say how much is measured: each yields its cells, and the seeds of their runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from evabench.records.measurement import MemorySettings, PhasesSettings, SeededSettings, StepTimeSettings
from evabench.settings.bounds import FORBID, Count, Positive, Seed
from evabench.settings.choices import DeviceKind
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.directions import DirectionsTable, ProbedTraining
from evabench.suite.table import Asked, Table, Workloads, check_list
from evabench.suite.tuning import TuningTable

_ONE_RUN = range(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTable:
    """[step_time]: how many sweeps, the pilot not counted."""

    __pydantic_config__ = FORBID
    in_sweeps: ClassVar[bool] = True
    sweeps: Count

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield one visit of each workload: its sweeps repeat them."""
        for name in workloads:
            yield Asked(workload=name, measurement=StepTimeSettings())

    def run_seeds(self, count: int | None) -> range:
        """Return the numbers of the sweeps, the pilot's first."""
        return range(self.sweeps + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesTable:
    """[phases]: one run per arm, with the marks of a step read."""

    __pydantic_config__ = FORBID
    in_sweeps: ClassVar[bool] = False
    min_steps: Count = 30

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield one measurement of each workload."""
        for name in workloads:
            yield Asked(workload=name, measurement=PhasesSettings(min_steps=self.min_steps))

    def run_seeds(self, count: int | None) -> range:
        """Return one seed: the parts of a step do not depend on it."""
        return _ONE_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable:
    """[memory]: hidden widths as multiples of the workload's own; 1 is the workload itself."""

    __pydantic_config__ = FORBID
    in_sweeps: ClassVar[bool] = False
    width_scales: tuple[Positive, ...] = (1.0,)

    def __post_init__(self) -> None:
        """Refuse no width, and one twice."""
        check_list("width_scales", self.width_scales)

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield a measurement of each workload and width. Raises `ValueError` for a width that is no whole number."""
        for name, workload in workloads.items():
            for scale in self.width_scales:
                if scale != 1:
                    workload.scaled(scale)
                yield Asked(workload=name, measurement=MemorySettings(), width_scale=scale)

    def run_seeds(self, count: int | None) -> range:
        """Return one seed: bytes do not depend on it."""
        return _ONE_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededTable:
    """[mechanism], [rate] and every other kind that needs no more than its own settings and seeds.

    In the file the settings stand beside the seeds. Fewer than 6 seeds: no interval.
    """

    __pydantic_config__ = FORBID
    in_sweeps: ClassVar[bool] = False
    seeds: Count
    first_seed: Seed = 0
    settings: SeededSettings

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield one measurement of each workload. Raises `ValueError` for a workload that has no such thing."""
        kind, only = self.settings.measurement, self.settings.on_workload
        others = [name for name, each in workloads.items() if each.workload != only]
        if only is not None and others:
            raise ValueError(f'a {kind} is that of a workload "{only}", which these are not: {", ".join(others)}')
        for name in workloads:
            yield Asked(workload=name, measurement=self.settings)

    def run_seeds(self, count: int | None) -> range:
        """Return the seeds."""
        return range(self.first_seed, self.first_seed + (count or self.seeds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What a suite, or one of its tiers, measures. What is not named is not made."""

    __pydantic_config__ = FORBID
    step_time: TimingTable | None = None
    phases: PhasesTable | None = None
    memory: MemoryTable | None = None
    convergence: ConvergenceTable | None = None
    directions: DirectionsTable | None = None
    tuning: TuningTable | None = None  # measures nothing of the suite's arms: it chooses their settings
    seeded: Mapping[str, SeededTable] = field(default_factory=dict)  # by kind

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return the tables that are there, by kind, in the order in which their runs are made."""
        own: dict[str, Table | None] = {
            "memory": self.memory,
            "phases": self.phases,
            "convergence": self.convergence,
            "directions": ProbedTraining(self.directions, self.convergence) if self.directions else None,
            **self.seeded,
            "step_time": self.step_time,
        }
        return {kind: table for kind, table in own.items() if table is not None}


TierName = Literal["smoke", "laptop", "paper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """[tiers.NAME]: which workloads and arms, and how much of each measurement."""

    __pydantic_config__ = FORBID
    workloads: tuple[str, ...] | None = None  # None: all
    arms: tuple[str, ...] | None = None
    timeout_seconds: Positive | None = None  # None: the suite's
    device: DeviceKind | None = None  # as above
    measurements: Measurements = field(default_factory=Measurements)

    def __post_init__(self) -> None:
        """Refuse lists without an entry, and with one twice."""
        for name, chosen in (("workloads", self.workloads), ("arms", self.arms)):
            if chosen is not None:
                check_list(name, chosen)
