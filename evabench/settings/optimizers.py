"""Optimizers as settings: the only list of them.

A class carries, besides its hyperparameters, what the rest of the program needs to know about the optimizer without
importing torch: its tag in a suite file (`optimizer`), its name for people (`title`), its family (one colour in every
plot), the length of its refresh cycle, and the ranges in which it is tuned (`search`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from pydantic import Field

from evabench.settings.bounds import Count, Decay, Fraction, NonNegative, Positive, check_bounds

Family = Literal["first-order", "eva", "kfac", "shampoo", "mfac", "plugin"]
Clip = Literal["kl_clip", "kl_normalization", "rescale", "none"]
OutputGradient = Literal["batch_mean", "per_example"]
DampingScale = Literal["absolute", "relative"]
AcrossRanks = Literal["whole_batch", "plain_average"]
WeightSharing = Literal["expand", "reduce"]
Factorisation = Literal["cholesky", "eigh"]
Grafting = Literal["none", "sgd", "adagrad", "rmsprop"]
RootMethod = Literal["eigh", "newton"]
# "in_place": the authors' Nesterov step written into the buffer itself, m <- momentum^2 m + (1 + momentum) direction.
# Its momentum decays twice a step; it is there to reproduce their runs.
Nesterov = Literal["none", "standard", "in_place"]
Scalar = bool | int | float | str

# A grid of equal size for every optimizer: the learning rate, and the one other hyperparameter that matters most.
Search = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SgdSettings:
    """SGD with heavy-ball momentum and L2 weight decay, torch's own."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 (pydantic reads it from the class)
    title: ClassVar[str] = "SGD"
    family: ClassVar[Family] = "first-order"
    search: ClassVar[Search] = {"lr": (0.3, 1.0, 3.0, 6.0, 10.0, 30.0), "momentum": (0.8, 0.9)}

    optimizer: Literal["sgd"] = "sgd"
    lr: Positive
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamWSettings:
    """AdamW with decoupled weight decay, torch's own."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "AdamW"
    family: ClassVar[Family] = "first-order"
    search: ClassVar[Search] = {"lr": (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2), "eps": (1e-8, 1e-6)}

    optimizer: Literal["adamw"] = "adamw"
    lr: Positive
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.01

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaSettings:
    """Eva, in the paper's terms (Zhang, Shi & Li, arXiv:2308.02123), with the authors' defaults."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "Eva"
    family: ClassVar[Family] = "eva"
    search: ClassVar[Search] = {"lr": (0.1, 0.2, 0.3, 0.5, 1.0, 3.0), "damping": (0.1, 1.0)}

    optimizer: Literal["eva"] = "eva"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature; Eva divides by it
    clip: Clip = "kl_clip"
    kl_clip: Positive = 1e-3  # kappa; only `clip = "kl_clip"` reads it
    # Weight of the NEW vector: the authors' `factor_decay`, and 1 - decay of most other codes.
    new_statistic_weight: Fraction = 0.95
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16, the paper: all
    # "batch_mean" averages the gradients of a mean loss over the batch once more, as the authors do: b shrinks as 1/N
    # and their damping of 0.03 belongs to it. "per_example" undoes it, so that damping means the same at every batch.
    output_gradient: OutputGradient = "batch_mean"
    # "whole_batch": N ranks do what one rank would with their batches as one. Under "batch_mean" b is then divided by N
    # once more, since each local loss carries only the 1/n of its own rank. "plain_average": the authors' average of b.
    across_ranks: AcrossRanks = "whole_batch"
    # The projection of a layer by torch.compile. How a step is computed, not what it is: never part of a state_dict.
    compile: bool = False

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)

    @property
    def cycle_steps(self) -> int:
        """Eva updates its vectors at every step."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaFSettings:
    """Eva-f, the input side of Eva alone (arXiv:2308.02123; "semi-Eva" in the authors' code), with their defaults."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "Eva-f"
    family: ClassVar[Family] = "eva"
    search: ClassVar[Search] = {"lr": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "damping": (1e-3, 3e-2)}

    optimizer: Literal["eva_f"] = "eva_f"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature, then multiplied back
    clip: Clip = "kl_normalization"
    kl_clip: Positive = 1e-3  # kappa; only `clip = "kl_clip"` reads it
    new_statistic_weight: Fraction = 0.95  # of the NEW vector, as for Eva
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16
    compile: bool = False  # as for Eva

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)

    @property
    def cycle_steps(self) -> int:
        """Eva-f updates its vectors at every step."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaSSettings:
    """Eva-s, means of the gradient along its axes (arXiv:2308.02123; "vShampoo" in the authors' code)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "Eva-s"
    family: ClassVar[Family] = "eva"
    search: ClassVar[Search] = {"lr": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0), "damping": (1e-3, 3e-2)}

    optimizer: Literal["eva_s"] = "eva_s"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature, then multiplied back
    beta2: Fraction = 1.0  # 1: the means are summed up, as in the authors' runs; below 1: running averages
    nesterov: Nesterov = "none"

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)

    @property
    def cycle_steps(self) -> int:
        """Eva-s updates its means at every step."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KfacSettings:
    """K-FAC with the empirical Fisher: damped inverses of both factors (Martens & Grosse, arXiv:1503.05671)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "K-FAC"
    family: ClassVar[Family] = "kfac"
    search: ClassVar[Search] = {"lr": (0.03, 0.1, 0.2, 0.3, 1.0, 3.0), "damping": (0.1, 1.0)}

    optimizer: Literal["kfac"] = "kfac"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma, split between the factors by pi
    # "absolute": gamma itself, as the authors do. "relative": gamma is a share of the mean eigenvalue of A (x) B, layer
    # by layer. It does not drown the tiny factors of a mean-squared error, and therefore takes far longer steps: it
    # wants clip = "rescale", since kl_clip assumes a loss that is a log-likelihood, and a refresh at every step.
    damping_scale: DampingScale = "absolute"
    # True: the running factors keep the damping of every refresh, a bug of the Eva authors' K-FAC, to reproduce theirs.
    factors_keep_damping: bool = False
    clip: Clip = "kl_clip"
    kl_clip: Positive = 1e-3
    new_statistic_weight: Fraction = 0.95
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16
    # A row of a factor, where a weight is used at many positions. "reduce": a sample, its inputs averaged and its
    # output gradients summed over the positions, as the authors do. "expand": every position, as the first papers.
    weight_sharing: WeightSharing = "reduce"
    output_gradient: OutputGradient = "per_example"
    across_ranks: AcrossRanks = "whole_batch"  # as for Eva; matters under "batch_mean" only
    factorisation: Factorisation = "cholesky"  # "eigh": some 10 times the time, and the host waits for the device
    statistics_every: Count | None = None  # steps from one update of the factors to the next; None: `refresh_every`
    refresh_every: Count = 1  # steps from one factorisation to the next

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)
        _check_intervals(self.statistics_every, self.refresh_every)

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every


@dataclass(frozen=True, slots=True, kw_only=True)
class FoofSettings:
    """FOOF, the input side of K-FAC alone (Benzing, arXiv:2201.12250), with the Eva authors' defaults."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "FOOF"
    family: ClassVar[Family] = "kfac"
    search: ClassVar[Search] = {"lr": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "damping": (3e-2, 1e-1)}

    optimizer: Literal["foof"] = "foof"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of A
    clip: Clip = "kl_clip"
    kl_clip: Positive = 1e-3
    new_statistic_weight: Fraction = 1.0  # of the NEW factor; 1: no average, as in the authors' runs
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16
    weight_sharing: WeightSharing = "reduce"  # as for K-FAC
    factorisation: Factorisation = "eigh"  # "cholesky": the same directions, in a tenth of the time
    top_k: Count | None = None  # only the k largest eigenvalues count, the others as 0; needs "eigh"
    statistics_every: Count | None = None  # steps from one update of the factors to the next; None: `refresh_every`
    refresh_every: Count = 1  # steps from one factorisation to the next

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)
        _check_intervals(self.statistics_every, self.refresh_every)
        if self.top_k is not None and self.factorisation != "eigh":
            raise ValueError(f'top_k = {self.top_k} needs factorisation = "eigh", got "{self.factorisation}"')

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every


@dataclass(frozen=True, slots=True, kw_only=True)
class ShampooSettings:
    """Shampoo: an inverse root along each axis of a weight (Gupta, Koren & Singer, arXiv:1802.09568)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "Shampoo"
    family: ClassVar[Family] = "shampoo"
    search: ClassVar[Search] = {"lr": (1.0, 2.0, 3.0, 5.0, 10.0, 30.0), "epsilon": (1e-6, 1e-4)}

    optimizer: Literal["shampoo"] = "shampoo"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    nesterov: Nesterov = "none"
    beta2: Fraction = 1.0  # 1: the factors are plain sums, as in the paper; below 1: running averages
    epsilon: Positive = 1e-6  # floor of the eigenvalues, as a share of the largest ("newton": added to all of them)
    root_order: Count | None = None  # p of F^(-1/p); None: twice the number of axes, 4 for a matrix, as in the paper
    root_method: RootMethod = "eigh"  # "newton": products of matrices only, and the host never waits for the device
    grafting: Grafting = "sgd"  # whose length a step has, layer by layer: sgd's is that of the gradient
    # Neighbouring axes of a kernel are merged while their product is at most this; 1: each keeps a factor of its own.
    merge_up_to: Count = 128
    # Longer axes are cut into blocks with factors of their own. None: not, as in the paper; public codes: 128 or 1024.
    block_size: Count | None = None
    statistics_every: Count = 1  # steps from one update of the factors to the next
    refresh_every: Count = 1  # steps from one computation of the roots to the next

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)
        _check_intervals(self.statistics_every, self.refresh_every)
        if self.grafting == "rmsprop" and self.beta2 == 1:
            raise ValueError(
                'grafting = "rmsprop" needs beta2 < 1, got 1: the running average of the squares has the same decay. '
                'With plain sums use grafting = "adagrad".'
            )

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every


@dataclass(frozen=True, slots=True, kw_only=True)
class MfacSettings:
    """M-FAC: the empirical Fisher of the last gradients of the whole model (Frantar et al., arXiv:2107.03356)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "M-FAC"
    family: ClassVar[Family] = "mfac"
    search: ClassVar[Search] = {"lr": (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2), "damping": (1e-5, 1e-3)}

    optimizer: Literal["mfac"] = "mfac"
    lr: Positive = 1e-3
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    nesterov: Nesterov = "none"
    damping: Positive = 1e-5  # lambda: added to every eigenvalue of the curvature, which M-FAC then divides by
    num_gradients: Count = 32  # m: as in Eva's comparisons; the paper takes up to 1024

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        _check_choices(self)

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """A user's own optimizer, called as `Name(model.parameters(), **options)`."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    title: ClassVar[str] = "plug-in"
    family: ClassVar[Family] = "plugin"
    search: ClassVar[Search] = {}

    optimizer: Literal["plugin"] = "plugin"
    name: str  # "package.module:Name" or "path/to/file.py:Name", a path as seen from where evabench is run
    options: Mapping[str, Scalar] = field(default_factory=dict)
    takes_model: bool = False  # True: called with the model instead of its parameters
    refresh_every: Count = 1  # so that its steps are measured over whole cycles too

    def __post_init__(self) -> None:
        """Refuse a name that does not say where to look."""
        check_bounds(self)
        place, _, attribute = self.name.rpartition(":")
        if not (place and attribute):
            raise ValueError(f'name must be "package.module:Name" or "path/to/file.py:Name", got "{self.name}"')

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every


OptimizerSettings = Annotated[
    SgdSettings
    | AdamWSettings
    | EvaSettings
    | EvaFSettings
    | EvaSSettings
    | KfacSettings
    | FoofSettings
    | ShampooSettings
    | MfacSettings
    | PluginSettings,
    Field(discriminator="optimizer"),
]


def _check_choices(settings: Any) -> None:
    """Raise `ValueError` for a word that its field does not know; a suite file is checked by pydantic before."""
    for name, hint in get_type_hints(type(settings)).items():
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        value = getattr(settings, name)
        if choices and value not in choices:
            allowed = ", ".join(f'"{choice}"' for choice in choices)
            raise ValueError(f'{name} must be one of {allowed}, got "{value}"')


def _check_intervals(statistics_every: int | None, refresh_every: int) -> None:
    """Raise `ValueError` where a refresh would find statistics of an earlier step."""
    if statistics_every is not None and refresh_every % statistics_every:
        raise ValueError(
            f"refresh_every must be a multiple of statistics_every, got {refresh_every} and {statistics_every}: "
            "every refresh uses the statistics of its own step"
        )
