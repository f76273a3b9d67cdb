"""SGD and AdamW."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.bounds import Decay, NonNegative, Positive, check_bounds
from evabench.settings.choices import Family, Modules, Packages
from evabench.settings.groups import Groups, check_groups
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class SgdSettings(Strict):
    """SGD with heavy-ball momentum and L2 weight decay, torch's own."""

    title: ClassVar[str] = "SGD"
    family: ClassVar[Family] = "first-order"
    modules: ClassVar[Modules] = ()
    packages: ClassVar[Packages] = ()

    optimizer: Literal["sgd"] = "sgd"
    lr: NonNegative
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    nesterov: bool = False
    # The whole update by one kernel, torch's fastest: Eva's own update is one. False: torch's default.
    fused: bool = legacy(False, default=True)
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_groups(self, "lr", "momentum", "weight_decay")

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamWSettings(Strict):
    """AdamW with decoupled weight decay, torch's own."""

    title: ClassVar[str] = "AdamW"
    family: ClassVar[Family] = "first-order"
    modules: ClassVar[Modules] = ()
    packages: ClassVar[Packages] = ()

    optimizer: Literal["adamw"] = "adamw"
    lr: NonNegative
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.01
    fused: bool = legacy(False, default=True)  # as for SGD
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_groups(self, "lr", "eps", "weight_decay")

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1
