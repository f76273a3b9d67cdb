"""Shampoo."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.bounds import Count, Decay, Fraction, NonNegative, Positive, check_bounds
from evabench.settings.choices import (
    SHELL,
    Family,
    Grafting,
    Modules,
    Nesterov,
    Packages,
    RootMethod,
    check_choices,
    check_intervals,
)
from evabench.settings.groups import Groups, check_groups
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class ShampooSettings(Strict):
    """Shampoo: an inverse root along each axis of a weight (Gupta, Koren & Singer, arXiv:1802.09568)."""

    title: ClassVar[str] = "Shampoo"
    family: ClassVar[Family] = "shampoo"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.shampoo.shampoo")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["shampoo"] = "shampoo"
    lr: NonNegative = 0.1
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
    # Longer axes have no factor, and the others' roots make up for it: p is twice the number of factors. Without any
    # limit one embedding of 50,000 words asks for 10 GB at once. No run of before had so long an axis.
    max_axis: Count | None = legacy(8192)
    statistics_every: Count | None = None  # steps from one update of the factors to the next; None: `refresh_every`
    refresh_every: Count = 10  # steps from one computation of the roots to the next
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_intervals(self.statistics_every, self.refresh_every)
        if self.grafting == "rmsprop" and self.beta2 == 1:
            raise ValueError(
                'grafting = "rmsprop" needs beta2 < 1, got 1: the running average of the squares has the same decay. '
                'With plain sums use grafting = "adagrad".'
            )
        check_groups(self, "lr", "momentum", "weight_decay")

    @property
    def cycle_steps(self) -> int:
        """Steps from one refresh to the next."""
        return self.refresh_every
