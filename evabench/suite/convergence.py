"""How much is trained: budgets, seeds, and the targets that are judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from annotated_types import Ge
from pydantic import Discriminator, Tag

from evabench.records.measurement import ConvergenceSettings, Schedule
from evabench.settings.bounds import FORBID, Count, Decay, Fraction, Seed
from evabench.settings.choices import TAG
from evabench.settings.targets import MIN_TARGET_SEEDS, Target
from evabench.suite.table import Asked, Workloads, check_list

NUM_RATE_CHECK_SEEDS = 2
RATE_FACTORS = (1 / 3, 3.0)  # at which a base is tried beside its own rate

_Epochs = Annotated[
    Annotated[Count, Tag(f"{TAG}number")] | Annotated[tuple[Count, ...], Tag(f"{TAG}list")],
    Discriminator(lambda found: f"{TAG}list" if isinstance(found, list | tuple) else f"{TAG}number"),
]


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
    check_rates: bool | None = None  # bases at other learning rates; None: where a verdict may rest on them

    def __post_init__(self) -> None:
        """Refuse two budgets, or none, and seeds that set a target and are judged by it."""
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give epochs or steps, and not both")
        if isinstance(self.epochs, tuple):
            check_list("epochs", self.epochs)
        self.run_seeds(None)

    def asked(self, workloads: Workloads) -> Iterator[Asked]:
        """Yield a training of each workload to each budget. Raises `ValueError` where passes have no length."""
        for name, workload in workloads.items():
            for settings in self._budgets(workload.steps_per_epoch):
                yield Asked(workload=name, measurement=settings, without=self.without)

    def asked_references(self, workloads: Workloads) -> Iterator[tuple[str, Asked]]:
        """Yield each arm that sets a target, with its training."""
        for name, target in self.targets.items():
            if target.reference is not None:
                for settings in self._budgets(workloads[name].steps_per_epoch):
                    yield target.reference, Asked(workload=name, measurement=settings)

    def trial(self, steps_per_epoch: int | None, steps: int | None, evaluate_every: int | None) -> ConvergenceSettings:
        """Return what a trial is trained to; None: as what is judged. Raises `ValueError` where that is not one thing.

        The schedule is that of the table, decayed at the end of the trial.
        """
        budgets = self._budgets(steps_per_epoch) if steps is None else (self._settings(steps),)
        if len(budgets) > 1:
            raise ValueError("steps is missing: [convergence] has several budgets, and a trial has one")
        return replace(budgets[0], evaluate_every=evaluate_every or self.evaluate_every)

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

    @property
    def rate_check_seeds(self) -> range:
        """Return the seeds at which a base is tried at another rate: its first judged ones, of equal beginnings."""
        return range(self.first_seed, self.first_seed + NUM_RATE_CHECK_SEEDS)

    def _budgets(self, steps_per_epoch: int | None) -> tuple[ConvergenceSettings, ...]:
        if self.steps is not None:
            return (self._settings(self.steps),)
        if steps_per_epoch is None:
            raise ValueError("this workload has no epochs: give steps")
        epochs = (self.epochs,) if isinstance(self.epochs, int) else self.epochs or ()
        return tuple(self._settings(count * steps_per_epoch) for count in epochs)

    def _settings(self, steps: int) -> ConvergenceSettings:
        return ConvergenceSettings(
            steps=steps,
            evaluate_every=self.evaluate_every,
            schedule=self.schedule,
            warmup_steps=round(self.warmup_share * steps),
            milestones=self.milestones,
        )
