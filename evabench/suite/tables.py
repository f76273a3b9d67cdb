"""The tables of a suite file that say how much is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge

from evabench.records.measurement import (
    AUTHORS,
    ConvergenceSettings,
    MechanismSettings,
    RateSettings,
    Schedule,
    ViewSettings,
)
from evabench.settings.bounds import FORBID, Count, Decay, Fraction, Positive
from evabench.settings.choices import WeightSharing
from evabench.settings.targets import MIN_TARGET_SEEDS, Target

TierName = Literal["smoke", "laptop", "paper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTable:
    """[step_time]: how many sweeps, the pilot not counted."""

    __pydantic_config__ = FORBID
    sweeps: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesTable:
    """[phases]: one run an arm, with the marks of a step read."""

    __pydantic_config__ = FORBID
    min_steps: Count = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable:
    """[memory]: hidden widths as multiples of the workload's own; 1 is the workload itself."""

    __pydantic_config__ = FORBID
    width_scales: tuple[Positive, ...] = (1.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceTable:
    """[convergence]: seeds and budget; `without` names arms that are too expensive here.

    The budget is `epochs` (several: a run of each, its schedule fully decayed at its own end) or a number of `steps`.
    """

    __pydantic_config__ = FORBID
    seeds: Count
    first_seed: int = 0
    epochs: Count | tuple[Count, ...] | None = None
    steps: Count | None = None
    evaluate_every: Count
    schedule: Schedule = "linear"
    warmup_share: Decay = 0.0  # of the budget; the authors warm up for 5 epochs, which is 0.05 of 100
    milestones: tuple[Fraction, ...] = (0.35, 0.75, 0.9)  # of schedule "step"
    without: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)  # by workload
    target_seeds: Annotated[int, Ge(MIN_TARGET_SEEDS)] = MIN_TARGET_SEEDS  # of a reference: they set it, and no more
    first_target_seed: int = 2000

    def __post_init__(self) -> None:
        """Refuse two budgets, or none, and seeds that set a target and are judged by it."""
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give epochs or steps, and not both")
        self.check_seeds(self.seeds)

    def check_seeds(self, num_judged: int) -> None:
        """Raise `ValueError` where so many judged seeds would be target-setting ones too."""
        if not any(target.reference for target in self.targets.values()):
            return
        judged = range(self.first_seed, self.first_seed + num_judged)
        setting = range(self.first_target_seed, self.first_target_seed + self.target_seeds)
        if max(judged.start, setting.start) < min(judged.stop, setting.stop):
            raise ValueError(
                f"the judged seeds {judged.start} to {judged.stop - 1} and the target-setting seeds {setting.start} to "
                f"{setting.stop - 1} must have none in common: choose another first_target_seed"
            )

    def settings_for(self, steps_an_epoch: int | None) -> tuple[ConvergenceSettings, ...]:
        """Return a measurement for each budget. Raises `ValueError` where passes have no length."""
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
class MechanismTable:
    """[mechanism]: probes of training runs, and the settings under which directions are compared."""

    __pydantic_config__ = FORBID
    seeds: Count
    first_seed: int = 0
    probe_at: tuple[int, ...] = (0,)
    views: tuple[ViewSettings, ...] = (AUTHORS,)
    weight_sharing: WeightSharing = "reduce"
    lr: Positive = 0.1
    kl_clip: Positive = 1e-3

    def settings(self) -> MechanismSettings:
        """Return the measurement. Raises `ValueError` for probes out of order, or views of one name."""
        return MechanismSettings(
            probe_at=self.probe_at,
            views=self.views,
            weight_sharing=self.weight_sharing,
            lr=self.lr,
            kl_clip=self.kl_clip,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """[rate]: trials on quadratics, each arm at every learning rate of the grid; fewer than 6 seeds: no interval."""

    __pydantic_config__ = FORBID
    seeds: Count
    first_seed: int = 0
    multiples: tuple[Positive, ...]
    steps: Count = 400

    def settings(self) -> RateSettings:
        """Return the measurement. Raises `ValueError` for a grid that does not rise, or too few steps."""
        return RateSettings(multiples=self.multiples, steps=self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """[tiers.NAME]: which workloads and arms, and how much of each measurement. What is not named is not made."""

    __pydantic_config__ = FORBID
    workloads: tuple[str, ...] | None = None  # None: all
    arms: tuple[str, ...] | None = None
    timeout_seconds: Positive | None = None  # None: the suite's
    step_time: TimingTable | None = None
    phases: PhasesTable | None = None
    memory: MemoryTable | None = None
    convergence: ConvergenceTable | None = None
    mechanism: MechanismTable | None = None
    rate: RateTable | None = None
