"""K-FAC and FOOF."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.bounds import Count, Decay, Fraction, NonNegative, Positive, check_bounds
from evabench.settings.choices import (
    SHELL,
    AcrossRanks,
    Clip,
    DampingScale,
    Factorisation,
    Family,
    Modules,
    OutputGradient,
    Packages,
    WeightSharing,
    check_choices,
    check_intervals,
)
from evabench.settings.groups import Groups, check_groups
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class KfacSettings(Strict):
    """K-FAC with the empirical Fisher: damped inverses of both factors (Martens & Grosse, arXiv:1503.05671)."""

    title: ClassVar[str] = "K-FAC"
    family: ClassVar[Family] = "kfac"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.kfac.kfac")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["kfac"] = "kfac"
    lr: NonNegative = 0.1
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
    refresh_every: Count = 10  # steps from one factorisation to the next
    max_factor: Count | None = legacy(None)  # layers with a longer factor take the plain gradient
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_intervals(self.statistics_every, self.refresh_every)
        check_groups(self, "lr", "momentum", "weight_decay", "damping")

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every


@dataclass(frozen=True, slots=True, kw_only=True)
class FoofSettings(Strict):
    """FOOF, the input side of K-FAC alone (Benzing, arXiv:2201.12250), with the Eva authors' defaults."""

    title: ClassVar[str] = "FOOF"
    family: ClassVar[Family] = "kfac"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.kfac.foof")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["foof"] = "foof"
    lr: NonNegative = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of A
    clip: Clip = "kl_clip"
    kl_clip: Positive = 1e-3
    new_statistic_weight: Fraction = 1.0  # of the NEW factor; 1: no average, as in the authors' runs
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16
    weight_sharing: WeightSharing = "reduce"  # as for K-FAC
    factorisation: Factorisation = "cholesky"  # "eigh": the same directions, in ten times the time; for `top_k`
    top_k: Count | None = None  # only the k largest eigenvalues count, the others as 0; needs "eigh"
    statistics_every: Count | None = None  # steps from one update of the factors to the next; None: `refresh_every`
    refresh_every: Count = 10  # steps from one factorisation to the next
    max_factor: Count | None = legacy(None)  # layers with a longer factor take the plain gradient
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_intervals(self.statistics_every, self.refresh_every)
        if self.top_k is not None and self.factorisation != "eigh":
            raise ValueError(f'top_k = {self.top_k} needs factorisation = "eigh", got "{self.factorisation}"')
        check_groups(self, "lr", "momentum", "weight_decay", "damping")

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every
