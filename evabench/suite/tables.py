"""The tables of a suite file that say how much is measured: each yields its cells, and the seeds of their runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Protocol

from annotated_types import Ge
from pydantic import Discriminator, Tag

from evabench.records.measurement import (
    ConvergenceSettings,
    MeasurementSettings,
    MemorySettings,
    PhasesSettings,
    Schedule,
    SeededSettings,
    StepTimeSettings,
)
from evabench.settings.bounds import FORBID, Count, Decay, Fraction, Positive, Seed
from evabench.settings.choices import TAG
from evabench.settings.targets import MIN_TARGET_SEEDS, Target
from evabench.settings.workloads import WorkloadSettings

_ONE_RUN = range(1)

_Epochs = Annotated[
    Annotated[Count, Tag(f"{TAG}number")] | Annotated[tuple[Count, ...], Tag(f"{TAG}list")],
    Discriminator(lambda found: f"{TAG}list" if isinstance(found, list | tuple) else f"{TAG}number"),
]
Workloads = Mapping[str, WorkloadSettings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A measurement of one workload, at a multiple of its widths, with every arm that is not left out."""

    workload: str
    measurement: MeasurementSettings
    width_scale: float = 1.0
    without: tuple[str, ...] = ()


class Table(Protocol):
    """How much of one kind is measured."""

    in_sweeps: ClassVar[bool]  # else each run stands for itself

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield what is measured. Raises `ValueError` for a workload of which it cannot be."""
        ...

    def run_seeds(self, count: int | None) -> range:
        """Return the seeds of each cell; `count` is how many the command line wants. Raises `ValueError`."""
        ...


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
        _check_list("width_scales", self.width_scales)

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
class ConvergenceTable:
    """[convergence]: seeds and budget; `without` names arms that are too expensive here.

    The budget is `epochs` (several: a run of each, its schedule fully decayed at its own end) or a number of `steps`.
    """

    __pydantic_config__ = FORBID
    in_sweeps: ClassVar[bool] = False
    seeds: Count
    first_seed: Seed = 0
    epochs: _Epochs | None = None
    steps: Count | None = None
    evaluate_every: Count
    schedule: Schedule = "linear"
    warmup_share: Decay = 0.0  # of the budget; the authors warm up for 5 epochs, which is 0.05 of 100
    milestones: tuple[Fraction, ...] = (0.35, 0.75, 0.9)  # of schedule "step"
    without: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)  # by workload
    target_seeds: Annotated[int, Ge(MIN_TARGET_SEEDS)] = MIN_TARGET_SEEDS  # of a reference: they set it, and no more
    first_target_seed: Seed = 2000

    def __post_init__(self) -> None:
        """Refuse two budgets, or none, and seeds that set a target and are judged by it."""
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give epochs or steps, and not both")
        if isinstance(self.epochs, tuple):
            _check_list("epochs", self.epochs)
        self.run_seeds(None)

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield a training of each workload to each budget. Raises `ValueError` where passes have no length."""
        for name, workload in workloads.items():
            for settings in self._budgets(workload.steps_an_epoch):
                yield Asked(workload=name, measurement=settings, without=self.without)

    def asked_references(self, workloads: Workloads) -> Iterator[tuple[str, Asked]]:
        """Yield each arm that sets a target, with its training."""
        for name, target in self.targets.items():
            if target.reference is not None:
                for settings in self._budgets(workloads[name].steps_an_epoch):
                    yield target.reference, Asked(workload=name, measurement=settings)

    def run_seeds(self, count: int | None) -> range:
        """Return the judged seeds. Raises `ValueError` where so many would be target-setting ones too."""
        judged = range(self.first_seed, self.first_seed + (count or self.seeds))
        setting = self.setting_seeds
        referenced = any(target.reference for target in self.targets.values())
        if referenced and max(judged.start, setting.start) < min(judged.stop, setting.stop):
            raise ValueError(
                f"the judged seeds {judged.start} to {judged.stop - 1} and the target-setting seeds {setting.start} to "
                f"{setting.stop - 1} must have none in common: choose another first_target_seed"
            )
        return judged

    @property
    def setting_seeds(self) -> range:
        """Return the seeds of the runs that set a target."""
        return range(self.first_target_seed, self.first_target_seed + self.target_seeds)

    def _budgets(self, steps_an_epoch: int | None) -> tuple[ConvergenceSettings, ...]:
        if self.steps is not None:
            return (self._settings(self.steps),)
        if steps_an_epoch is None:
            raise ValueError("this workload has no epochs: give steps")
        epochs = (self.epochs,) if isinstance(self.epochs, int) else self.epochs or ()
        return tuple(self._settings(count * steps_an_epoch) for count in epochs)

    def _settings(self, steps: int) -> ConvergenceSettings:
        return ConvergenceSettings(
            steps=steps,
            evaluate_every=self.evaluate_every,
            schedule=self.schedule,
            warmup_steps=round(self.warmup_share * steps),
            milestones=self.milestones,
        )


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
    seeded: Mapping[str, SeededTable] = field(default_factory=dict)  # by kind

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return the tables that are there, by kind, in the order in which their runs are made."""
        own: dict[str, Table | None] = {
            "memory": self.memory,
            "phases": self.phases,
            "convergence": self.convergence,
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
    measurements: Measurements = field(default_factory=Measurements)

    def __post_init__(self) -> None:
        """Refuse lists without an entry, and with one twice."""
        for name, chosen in (("workloads", self.workloads), ("arms", self.arms)):
            if chosen is not None:
                _check_list(name, chosen)


def _check_list(name: str, entries: Sequence[object]) -> None:
    if not entries or len(set(entries)) < len(entries):
        raise ValueError(f"{name} must have one entry at least, and none twice, got {list(entries)}")
