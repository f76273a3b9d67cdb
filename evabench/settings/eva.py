"""Eva, Eva-f and Eva-s, in the paper's terms, and their ablation arms."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.bounds import Count, Decay, Fraction, NonNegative, Positive, check_bounds
from evabench.settings.choices import (
    SHELL,
    AcrossRanks,
    Clip,
    EvaOutputGradient,
    Family,
    Modules,
    Nesterov,
    Packages,
    Vectors,
    check_choices,
)
from evabench.settings.groups import Groups, check_groups
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaSettings(Strict):
    """Eva, in the paper's terms (Zhang, Shi & Li, arXiv:2308.02123), with the authors' defaults."""

    title: ClassVar[str] = "Eva"
    family: ClassVar[Family] = "eva"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.eva.eva")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["eva"] = "eva"
    lr: NonNegative = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature; Eva divides by it
    clip: Clip = "kl_clip"
    kl_clip: Positive = 1e-3  # kappa; only `clip = "kl_clip"` reads it
    # Weight of the NEW vector: the authors' `factor_decay`, and 1 - decay of most other codes.
    new_statistic_weight: Fraction = 0.95
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16, the paper: all
    # "batch_mean" averages the gradients of a mean loss over the batch once more, as the authors do: b shrinks as 1/N
    # and over the positions of an image; their damping of 0.03 belongs to it. "per_example" is K-FAC's: gradients of
    # each example's own loss, summed over positions, so that damping means the same at every batch and image size.
    output_gradient: EvaOutputGradient = "batch_mean"
    # "whole_batch": N ranks do what one rank would with their batches as one. Under "batch_mean" b is then divided by N
    # once more, since each local loss carries only the 1/n of its own rank. "plain_average": the authors' average of b.
    across_ranks: AcrossRanks = "whole_batch"
    # "off": b a^T is multiplied by 0, so that P = G / damping (G under "kl_normalization") goes into the same clip.
    vectors: Vectors = legacy("on")
    # The projection of a layer by torch.compile. How a step is computed, not what it is: never part of a state_dict.
    compile: bool = False
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_groups(self, "lr", "momentum", "weight_decay", "damping")

    @property
    def cycle_steps(self) -> int:
        """Eva updates its vectors at every step."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaFSettings(Strict):
    """Eva-f, the input side of Eva alone (arXiv:2308.02123; "semi-Eva" in the authors' code), with their defaults."""

    title: ClassVar[str] = "Eva-f"
    family: ClassVar[Family] = "eva"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.eva.eva_f")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["eva_f"] = "eva_f"
    lr: NonNegative = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature, then multiplied back
    clip: Clip = "kl_normalization"
    kl_clip: Positive = 1e-3  # kappa; only `clip = "kl_clip"` reads it
    new_statistic_weight: Fraction = 0.95  # of the NEW vector, as for Eva
    statistics_batch: Count | None = None  # first n samples only; the authors' code: 16
    vectors: Vectors = legacy("on")  # "off": P = G goes into the same clip
    compile: bool = False  # as for Eva
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_groups(self, "lr", "momentum", "weight_decay", "damping")

    @property
    def cycle_steps(self) -> int:
        """Eva-f updates its vectors at every step."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaSSettings(Strict):
    """Eva-s, means of the gradient along its axes (arXiv:2308.02123; "vShampoo" in the authors' code)."""

    title: ClassVar[str] = "Eva-s"
    family: ClassVar[Family] = "eva"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.eva.eva_s")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["eva_s"] = "eva_s"
    lr: NonNegative = 0.1
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    damping: Positive = 0.03  # gamma: added to every eigenvalue of the curvature, then multiplied back
    beta2: Fraction = 1.0  # 1: the means are summed up, as in the authors' runs; below 1: running averages
    nesterov: Nesterov = "none"
    vectors: Vectors = legacy("on")  # "off": the direction is G, which makes it SGD at the cost of Eva-s
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_groups(self, "lr", "momentum", "weight_decay", "damping")

    @property
    def cycle_steps(self) -> int:
        """Eva-s updates its means at every step."""
        return 1


def is_ablation(settings: object) -> bool:
    """Return whether a method has its curvature off: such an arm never speaks for the method."""
    return isinstance(settings, EvaSettings | EvaFSettings | EvaSSettings) and settings.vectors == "off"
