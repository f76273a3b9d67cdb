"""A quadratic of known conditioning as a workload: what an optimizer's curvature is worth where everything is known."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Modules, Packages
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadraticSettings(Strict):
    """Least squares of one Linear layer without a bias, its Hessian a Kronecker product A (x) M.

    A is the second moment of the inputs, M weighs the outputs. Each has one eigenvalue 1 and all others
    1 / sqrt(condition), so that the Hessian has the eigenvalues 1, 1 / sqrt(condition) and 1 / condition. Of A, the
    large one may be the inputs' mean ("spike") or not ("none": the mean is zero). The noise of the targets has the
    covariance M^-1, which makes K-FAC's output factor M at the optimum. Every batch is the whole set. In float64.
    """

    data: ClassVar[str] = "gaussian_noise"
    family: ClassVar[str] = "quadratic"
    hidden_widths: ClassVar[tuple[int, ...]] = ()
    steps_per_epoch: ClassVar[int] = 1
    stand_in: ClassVar[bool] = True
    modules: ClassVar[Modules] = ("evabench.workloads.quadratic",)
    packages: ClassVar[Packages] = ()

    workload: Literal["quadratic"] = "quadratic"
    condition: Annotated[float, Ge(1)] = 100.0
    mean: Literal["spike", "none"] = "spike"
    inputs: Annotated[int, Ge(2)] = 16
    outputs: Annotated[int, Ge(2)] = 8
    samples: Count = 64
    precision: Literal["fp64"] = legacy("fp64")
    channels_last: ClassVar[bool] = False
    compiled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse too few samples for inputs and noise that are orthogonal to each other and to a constant."""
        check_bounds(self)
        least = self.inputs + self.outputs + 1
        if self.samples < least:
            raise ValueError(f"samples must be >= inputs + outputs + 1 = {least}, got {self.samples}")

    @property
    def title(self) -> str:
        """Return "quadratic, condition 100"."""
        return f"quadratic, condition {self.condition:g}"

    @property
    def batch(self) -> int:
        """Return the samples of a step: all."""
        return self.samples

    @property
    def shape(self) -> str:
        """Return "of 16 inputs and 8 outputs, the mean is the spike, 64 samples, synthetic data"."""
        where = "the mean is the large direction" if self.mean == "spike" else "inputs of mean zero"
        return f"of {self.inputs} inputs and {self.outputs} outputs, {where}, {self.samples} samples, synthetic data"

    @property
    def unit_lr(self) -> float:
        """Return gradient descent's best learning rate, 2 / (largest + smallest eigenvalue)."""
        return 2 / (1 + 1 / self.condition)

    @property
    def gradient_descent_rate(self) -> float:
        """Return (condition - 1) / (condition + 1): what gradient descent at its best multiplies the distance by."""
        return (self.condition - 1) / (self.condition + 1)

    def scaled(self, scale: float) -> Self:
        """Refuse: its widths are not those of a net."""
        raise ValueError(f"a quadratic has no widths to scale, got {scale:g}")
