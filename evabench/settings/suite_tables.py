"""The tables of a suite file that say how much is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge

from evabench.settings.bounds import Count, Decay, Fraction, Positive
from evabench.settings.measurement import (
    AUTHORS,
    ConvergenceSettings,
    MechanismSettings,
    RateSettings,
    Schedule,
    ViewSettings,
)
from evabench.settings.optimizers import WeightSharing

TargetMetric = Literal["loss", "accuracy"]
TierName = Literal["smoke", "laptop", "paper"]

EASIER_AT, HARDER_AT = 0.5, 0.95  # a verdict that is another at one of these shares of the budget decides nothing
MIN_TARGET_SEEDS = 8

_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTable:
    """[step_time]: how many sweeps, the pilot not counted."""

    __pydantic_config__ = _FORBID
    sweeps: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesTable:
    """[phases]: one run an arm, with the marks of a step read."""

    __pydantic_config__ = _FORBID
    min_steps: Count = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable:
    """[memory]: hidden widths as multiples of the workload's own; 1 is the workload itself."""

    __pydantic_config__ = _FORBID
    width_scales: tuple[Positive, ...] = (1.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A validation loss (lower is better) or accuracy (higher is better) to reach.

    Either a number, and where it comes from; or an arm, whose own runs set it before anything is judged.
    """

    __pydantic_config__ = _FORBID
    value: Positive | None = None
    metric: TargetMetric = "loss"
    provenance: str | None = None  # of the value
    reference: str | None = None  # the arm
    at: float | None = None  # share of the budget within which the reference's runs hit it

    def __post_init__(self) -> None:
        """Refuse two ways to say it, or none, and an accuracy in percent."""
        if (self.value is None) == (self.reference is None):
            raise ValueError(
                "give value, a number with its provenance, or reference, the arm whose own runs set it, and not both"
            )
        if self.value is not None:
            self._check_number(self.value)
        else:
            self._check_reference()

    def _check_number(self, value: float) -> None:
        if self.provenance is None:
            raise ValueError("provenance is missing: say where the value comes from")
        if self.at is not None:
            raise ValueError("at belongs to reference: a value needs no share of a budget")
        if self.metric == "accuracy" and value > 1:
            raise ValueError(f"an accuracy is a share, at most 1, got {value:g}")

    def _check_reference(self) -> None:
        if self.provenance is not None:
            raise ValueError("provenance belongs to value: where a reference's target comes from is known")
        if self.at is None:
            raise ValueError("at is missing: the share of its budget within which the reference hits it, such as 0.75")
        if not EASIER_AT < self.at < HARDER_AT:
            raise ValueError(
                f"at must lie between {EASIER_AT:g} and {HARDER_AT:g}, where the easier and the harder target are set, "
                f"got {self.at:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceTable:
    """[convergence]: seeds and budget; `without` names arms that are too dear here.

    The budget is `epochs` (several: a run of each, its schedule fully decayed at its own end) or a number of `steps`.
    """

    __pydantic_config__ = _FORBID
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

    __pydantic_config__ = _FORBID
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

    __pydantic_config__ = _FORBID
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

    __pydantic_config__ = _FORBID
    workloads: tuple[str, ...] | None = None  # None: all
    arms: tuple[str, ...] | None = None
    timeout_seconds: Positive | None = None  # None: the suite's
    step_time: TimingTable | None = None
    phases: PhasesTable | None = None
    memory: MemoryTable | None = None
    convergence: ConvergenceTable | None = None
    mechanism: MechanismTable | None = None
    rate: RateTable | None = None
