"""Deep autoencoders as settings."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import MinLen

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Modules, Packages, Precision
from evabench.settings.datasets import IMAGE_SETS, ImageName
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderSettings(Strict):
    """A deep autoencoder of Linear layers and ReLUs, mean squared error, after Hinton & Salakhutdinov (2006).

    `widths` is the encoder with its input; the decoder mirrors it, so (784, 1000, 500, 250, 30) has eight layers.
    """

    title: ClassVar[str] = "autoencoder"
    family: ClassVar[str] = "autoencoder"
    modules: ClassVar[Modules] = ("evabench.workloads.autoencoder",)
    packages: ClassVar[Packages] = ()

    workload: Literal["autoencoder"] = "autoencoder"
    data: ImageName = "fashion_mnist_subset"
    widths: Annotated[tuple[Count, ...], MinLen(2)] = (784, 1000, 500, 250, 30)
    batch: Count = 1000
    precision: Precision = legacy("fp32")
    channels_last: bool = legacy(False)  # images in memory: the channels innermost
    compiled: bool = legacy(False)  # the model, by `torch.compile`

    def __post_init__(self) -> None:
        """Refuse a net that does not fit the images, or a batch larger than the training set."""
        check_bounds(self)
        pixels = IMAGE_SETS[self.data].num_pixels
        if self.widths[0] != pixels:
            raise ValueError(f"widths must begin with {pixels}, the pixels of {self.data}, got {self.widths[0]}")
        if self.batch > self.training_samples:
            raise ValueError(
                f"batch must be at most {self.training_samples}, the training samples of {self.data}, got {self.batch}"
            )

    @property
    def training_samples(self) -> int:
        """Samples that are trained on: the last tenth of the training set is the validation split."""
        return IMAGE_SETS[self.data].num_training

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass; the remainder is dropped, and drawn anew in the next epoch."""
        return self.training_samples // self.batch

    @property
    def shape(self) -> str:
        """Return "784-500-250-125-30 mirrored, batch 250", and that the data is synthetic where it is."""
        words = f"{'-'.join(map(str, self.widths))} mirrored, batch {self.batch}"
        return f"{words}, synthetic data" if self.stand_in else words

    @property
    def stand_in(self) -> bool:
        """Whether the data is generated in place of a set that cannot be had."""
        return IMAGE_SETS[self.data].stand_in

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Return the widths behind the input."""
        return self.widths[1:]

    def scaled(self, scale: float) -> Self:
        """Return the same net with every hidden width times `scale`; the input keeps the data's size.

        Raises `ValueError` where a width would not be a whole number: a rounded width has no exact polynomial.
        """
        scaled = tuple(width * scale for width in self.widths[1:])
        if any(width != int(width) or width < 1 for width in scaled):
            raise ValueError(f"widths {self.widths[1:]} times {scale} are not whole numbers")
        return replace(self, widths=(self.widths[0], *(int(width) for width in scaled)))
