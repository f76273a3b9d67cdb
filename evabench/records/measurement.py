"""The kinds of measurement: what each is asked, and the record that comes back.

Each is a cell and a run of its own, because instruments disturb each other. A kind is a settings class, which says by
name which function of the child measures it (the parent imports none of them), and a record; the last lines list all.
A suite asks for a seeded kind by its settings and a number of seeds; the other kinds have tables of their own there, or
are in no suite.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Ge
from pydantic import Field

from evabench.records.convergence import Convergence
from evabench.records.counts import Counts
from evabench.records.directions import Directions
from evabench.records.mechanism import Mechanism
from evabench.records.memory import Memory
from evabench.records.phases import Phases
from evabench.records.probe import Probe
from evabench.records.profile import Profile
from evabench.records.rate import Rate
from evabench.records.step_time import StepTime, WarmUp
from evabench.settings.bounds import FORBID, Count, Fraction, Positive, check_bounds
from evabench.settings.choices import EvaOutputGradient, WeightSharing

Schedule = Literal["constant", "linear", "cosine", "step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpSettings:
    """The pilot of a timing series: how many steps until the step time is steady? Its times are never judged."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = True
    measured_by: ClassVar[str] = "evabench.measurement.timing.kinds:measure_warm_up"

    measurement: Literal["warm_up"] = "warm_up"
    min_window_steps: Count = 10  # a window is this, or one cycle where that is longer
    tolerance: Positive = 0.02  # steady: medians of two windows differ by less than this or two standard errors
    max_seconds: Positive = 10.0

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimeSettings:
    """Blocks of whole refresh cycles, synchronised only at their ends."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = True
    measured_by: ClassVar[str] = "evabench.measurement.timing.kinds:measure_step_time"

    measurement: Literal["step_time"] = "step_time"
    min_steps: Count = 30
    min_cycles: Count = 3
    long_cycle_steps: Count = 50  # one such cycle is a block

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    def block_steps(self, cycle_steps: int) -> int:
        """Return the steps of a block: whole cycles, at least `min_cycles` of them and `min_steps` steps."""
        min_cycles = 1 if cycle_steps >= self.long_cycle_steps else self.min_cycles
        return max(min_cycles, -(-self.min_steps // cycle_steps)) * cycle_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """State bytes, and the exact peak of live tensor bytes in the second refresh: the first creates the state."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.memory.memory:measure_memory"

    measurement: Literal["memory"] = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceSettings:
    """Training to a budget, with the clock paused in every evaluation."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.convergence:measure_convergence"

    measurement: Literal["convergence"] = "convergence"
    steps: Count  # the budget; the schedule is fully decayed at its end
    evaluate_every: Count
    schedule: Schedule = "linear"
    warmup_steps: Annotated[int, Ge(0)] = 0  # the rate rises linearly to its base, times what the schedule says there
    milestones: tuple[Fraction, ...] = (0.35, 0.75, 0.9)  # of "step": a tenth of the rate from each share of the budget

    def __post_init__(self) -> None:
        """Refuse a budget without two evaluations: a target is hit by two in a row."""
        check_bounds(self)
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps must be less than steps ({self.steps}), got {self.warmup_steps}")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, got {self.milestones}")
        if self.evaluate_every * 2 > self.steps:
            raise ValueError(f"evaluate_every must be at most half of steps ({self.steps}), got {self.evaluate_every}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesSettings:
    """Cycles with marks beside cycles without: a run alone on the machine, but in no sweep."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = True
    measured_by: ClassVar[str] = "evabench.measurement.timing.kinds:measure_phases"

    measurement: Literal["phases"] = "phases"
    min_steps: Count = 30
    min_cycles: Count = 3
    min_warmup_steps: Count = 10

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    def num_cycles(self, cycle_steps: int) -> int:
        """Return the whole cycles to mark."""
        return max(self.min_cycles, -(-self.min_steps // cycle_steps))

    def warmup_cycles(self, cycle_steps: int) -> int:
        """Return the whole cycles to discard."""
        return -(-self.min_warmup_steps // cycle_steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """A look at what a run would cost, for an estimate: bytes on fake tensors, or the seconds of a few real steps.

    With `build_only` it is a look at whether the arm can be made at all.
    """

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.worker.probe:measure_probe"

    measurement: Literal["probe"] = "probe"
    real_steps: Annotated[int, Ge(0)] = 0  # 0: bytes
    largest_batch: bool = False  # neither: the largest batch that fits the device
    build_only: bool = False  # make workload and optimizer, and nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSettings:
    """Whole cycles under torch's profiler, behind the same steps without it: a diagnosis, in no suite."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = True
    measured_by: ClassVar[str] = "evabench.measurement.timing.kinds:measure_profile"

    measurement: Literal["profile"] = "profile"
    trace: str  # the file that the child writes; packed where it ends in ".gz"
    min_steps: Count = 10

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    @property
    def phases(self) -> PhasesSettings:
        """Return how many steps are profiled, and before that timed without the profiler."""
        return PhasesSettings(min_steps=self.min_steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSettings:
    """One setting of the methods whose directions are compared; Eva and K-FAC share it, Eva-f and FOOF too."""

    __pydantic_config__ = FORBID
    name: str  # for people
    damping: Positive = 0.03
    output_gradient: EvaOutputGradient = "batch_mean"  # K-FAC knows one "per_example" only
    statistics_batch: Count | None = None  # first n samples; None: the whole batch

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)


AUTHORS = ViewSettings(name="authors", statistics_batch=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismSettings:
    """Probes of a training run: is the curvature of rank one, and which way does each method step.

    The cell's own optimizer trains, at a constant rate, and does not see the probes. A probe takes the batch of the
    step that follows; no method has running averages in it.
    """

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.mechanism.mechanism:measure_mechanism"
    on_workload: ClassVar[str | None] = None  # any

    measurement: Literal["mechanism"] = "mechanism"
    probe_at: tuple[Annotated[int, Ge(0)], ...] = (0,)  # steps before each probe; the last one ends the training
    views: tuple[ViewSettings, ...] = (AUTHORS,)
    weight_sharing: WeightSharing = "reduce"  # of K-FAC and FOOF; the authors': "reduce"
    lr: Positive = 0.1  # of Eva, for the KL size of its step
    kl_clip: Positive = 1e-3

    def __post_init__(self) -> None:
        """Refuse probes that do not come one after the other, and views that cannot be told apart."""
        check_bounds(self)
        names = [view.name for view in self.views]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"views must have names of their own, and there must be one at least, got {names}")
        if not self.probe_at or list(self.probe_at) != sorted(set(self.probe_at)):
            raise ValueError(f"probe_at must rise, and have one step at least, got {self.probe_at}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """How fast an optimizer converges on a quadratic, at each learning rate of a grid.

    The rates are multiples of gradient descent's best one, 2 / (largest + smallest eigenvalue). A trial ends at `steps`
    or where the excess loss is `floor` times what it was at the start.
    """

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.rate:measure_rate"
    on_workload: ClassVar[str | None] = "quadratic"

    measurement: Literal["rate"] = "rate"
    multiples: tuple[Positive, ...]
    steps: Annotated[int, Ge(8)] = 400
    floor: Fraction = 1e-20

    def __post_init__(self) -> None:
        """Refuse a grid that is empty or does not rise."""
        check_bounds(self)
        if not self.multiples or list(self.multiples) != sorted(set(self.multiples)):
            raise ValueError(f"multiples must rise, and have one entry at least, got {self.multiples}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsSettings:
    """Operators, flops, bytes and host reads of every step of a warm refresh cycle. No clock is read."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.counts:measure_counts"
    on_workload: ClassVar[str | None] = None  # any

    measurement: Literal["counts"] = "counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionsSettings:
    """Probes along a training run of its own: which way its steps go, beside the gradient."""

    __pydantic_config__ = FORBID
    timed: ClassVar[bool] = False
    measured_by: ClassVar[str] = "evabench.measurement.direction_probes:measure_directions"

    measurement: Literal["directions"] = "directions"
    training: ConvergenceSettings  # budget and schedule of the judged runs; it ends with the last probe
    probes: Count = 5

    def __post_init__(self) -> None:
        """Refuse more probes than steps."""
        check_bounds(self)
        if self.probes > self.training.steps:
            raise ValueError(f"probes must be at most the steps ({self.training.steps}), got {self.probes}")

    @property
    def probed_steps(self) -> tuple[int, ...]:
        """Return the indices of the steps that are probed: the middles of as many equal parts of the budget."""
        return tuple((2 * part + 1) * self.training.steps // (2 * self.probes) for part in range(self.probes))


_Seeded = MechanismSettings | RateSettings | CountsSettings

SeededSettings = Annotated[_Seeded, Field(discriminator="measurement")]
MeasurementSettings = Annotated[
    WarmUpSettings
    | StepTimeSettings
    | PhasesSettings
    | MemorySettings
    | ConvergenceSettings
    | DirectionsSettings
    | ProbeSettings
    | ProfileSettings
    | _Seeded,
    Field(discriminator="measurement"),
]
Measured = Annotated[
    WarmUp | StepTime | Phases | Memory | Convergence | Probe | Profile | Mechanism | Rate | Counts | Directions,
    Field(discriminator="measured"),
]


def kinds_of(union: Any) -> dict[str, Any]:
    """Return the settings classes of one of the unions above, by the name of the kind."""
    return {kind.__dataclass_fields__["measurement"].default: kind for kind in get_args(get_args(union)[0])}
