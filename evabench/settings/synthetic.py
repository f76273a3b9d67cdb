"""Equal layers on noise as settings."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Modules, Packages, Precision
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSettings(Strict):
    """Equal layers of any width, depth and batch on Gaussian noise, for scaling laws. It learns the identity.

    "linear": [batch, width] through `depth` square Linear layers. "conv": [batch, width, image_size, image_size]
    through `depth` 3 x 3 convolutions. ReLU between the layers. It needs no data and says nothing about convergence.
    """

    steps_per_epoch: ClassVar[int] = 4  # four batches are drawn, and used again
    stand_in: ClassVar[bool] = True
    data: ClassVar[str] = "gaussian_noise"
    modules: ClassVar[Modules] = ("evabench.workloads.synthetic",)
    packages: ClassVar[Packages] = ()

    workload: Literal["synthetic"] = "synthetic"
    layer: Literal["linear", "conv"] = "linear"
    width: Count = 256
    depth: Count = 4
    batch: Count = 64
    image_size: Count = 8  # of "conv"
    precision: Precision = legacy("fp32")
    channels_last: bool = legacy(False)  # images in memory: the channels innermost
    compiled: bool = legacy(False)  # the model, by `torch.compile`

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        check_bounds(self)

    @property
    def title(self) -> str:
        """Return "4 linear layers"."""
        return f"{self.depth} {self.layer} layer{'' if self.depth == 1 else 's'}"

    @property
    def family(self) -> str:
        """Return the title: it has no width in it."""
        return self.title

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Return the one width."""
        return (self.width,)

    @property
    def shape(self) -> str:
        """Return "of width 256, batch 64, synthetic data"."""
        size = f" on {self.image_size}x{self.image_size}" if self.layer == "conv" else ""
        return f"of width {self.width}{size}, batch {self.batch}, synthetic data"

    def scaled(self, scale: float) -> Self:
        """Return the same net with its width times `scale`. Raises `ValueError` where that is no whole number."""
        width = self.width * scale
        if width != int(width) or width < 1:
            raise ValueError(f"width {self.width} times {scale} is not a whole number")
        return replace(self, width=int(width))
