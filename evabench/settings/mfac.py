"""M-FAC."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from evabench.settings.bounds import Count, Decay, NonNegative, Positive, check_bounds
from evabench.settings.choices import SHELL, Family, Modules, Nesterov, Packages, check_choices
from evabench.settings.groups import Groups, check_groups
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class MfacSettings(Strict):
    """M-FAC: the empirical Fisher of the last gradients of the whole model (Frantar et al., arXiv:2107.03356)."""

    title: ClassVar[str] = "M-FAC"
    family: ClassVar[Family] = "mfac"
    modules: ClassVar[Modules] = (*SHELL, "evabench.optimizers.mfac.mfac")
    packages: ClassVar[Packages] = ()

    optimizer: Literal["mfac"] = "mfac"
    lr: NonNegative = 1e-3
    momentum: Decay = 0.9
    weight_decay: NonNegative = 0.0
    nesterov: Nesterov = "none"
    damping: Positive = 1e-5  # lambda: added to every eigenvalue of the curvature, which M-FAC then divides by
    num_gradients: Count = 32  # m: as in Eva's comparisons; the paper takes up to 1024
    groups: Groups = legacy(())  # settings of their own for parameters that match

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)
        check_choices(self)
        check_groups(self, "lr", "momentum", "weight_decay")

    @property
    def cycle_steps(self) -> int:
        """Every step is alike."""
        return 1
