"""Image classification as settings: the nets of the paper, the data, and every trick of the input."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from evabench.settings.bounds import Count, Decay, NonNegative, Positive, check_bounds
from evabench.settings.choices import Modules, Packages, Precision
from evabench.settings.datasets import IMAGE_SETS, ImageName, ImageSet
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict

CifarNet = Literal["mlp", "vgg19", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "wrn_28_10"]
ImageNetNet = Literal["resnet50", "resnet152", "densenet121", "inception_v4", "vit_b_16", "efficientnet_b0"]

TITLES: dict[CifarNet | ImageNetNet, str] = {
    "mlp": "MLP",
    "vgg19": "VGG-19",
    "resnet20": "ResNet-20",
    "resnet32": "ResNet-32",
    "resnet44": "ResNet-44",
    "resnet56": "ResNet-56",
    "resnet110": "ResNet-110",
    "wrn_28_10": "WRN-28-10",
    "resnet50": "ResNet-50",
    "resnet152": "ResNet-152",
    "densenet121": "DenseNet-121",
    "inception_v4": "Inception-v4",
    "vit_b_16": "ViT-B/16",
    "efficientnet_b0": "EfficientNet-B0",
}

_BUILT_BY_TIMM = ("inception_v4", "efficientnet_b0", "vit_b_16")
STAND_IN_CHECKPOINT = "stand_in"

# Channels of the stages (units of the hidden layers) as published; the factor 10 of WRN-28-10 is in them.
STAGE_WIDTHS: dict[CifarNet | ImageNetNet, tuple[int, ...]] = {
    "mlp": (256, 128),
    "vgg19": (64, 128, 256, 512, 512),
    "resnet20": (16, 32, 64),
    "resnet32": (16, 32, 64),
    "resnet44": (16, 32, 64),
    "resnet56": (16, 32, 64),
    "resnet110": (16, 32, 64),
    "wrn_28_10": (160, 320, 640),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierSettings(Strict):
    """An image classifier with cross-entropy; the tricks are off unless a suite asks for them.

    All of them are torchvision's (`transforms.v2`) and act on the input, but label smoothing, which acts on the
    training loss alone: what is reported for validation and test is the plain cross-entropy.
    """

    modules: ClassVar[Modules] = (
        "evabench.workloads.cifar",
        "evabench.workloads.imagenet",
        "evabench.workloads.image_folder",
        "evabench.workloads.augment",
        "evabench.workloads.weights",
    )

    workload: Literal["classifier"] = "classifier"
    model: Literal[CifarNet, ImageNetNet]
    data: ImageName = "cifar10"
    batch: Count = 128
    width: Positive = 1.0  # channels as multiples of the published ones; of the nets for small images only
    image_size: Count | None = None  # None: as the data has it (224 for ImageNet); else resized to this
    crop: Literal["none", "padded", "resized"] = "none"  # "padded": CIFAR's, by an eighth; "resized": ImageNet's
    flip: bool = False
    cutout: Decay = 0.0  # side of the erased square as a share of the image's; 0: none
    auto_augment: bool = False  # the policy learned on CIFAR-10, or on ImageNet where the net is one of ImageNet's
    cutmix: NonNegative = 0.0  # alpha of its Beta distribution; 0: none
    mixup: NonNegative = 0.0  # the same; with both, each batch takes one of them by a fair coin
    label_smoothing: Decay = 0.0
    # A file of weights to begin with: safetensors, or a state_dict of torch; "stand_in": generated ones.
    checkpoint: str | None = None
    precision: Precision = legacy("fp32")
    channels_last: bool = legacy(False)  # images in memory: the channels innermost
    compiled: bool = legacy(False)  # the model, by `torch.compile`

    def __post_init__(self) -> None:
        """Refuse images that the net cannot take, and a batch larger than the training set."""
        check_bounds(self)
        if self.images.num_classes is None:
            raise ValueError(f"data must have labels, got {self.data}")
        if self.batch > self.images.num_training:
            raise ValueError(
                f"batch must be at most {self.images.num_training}, the training samples of {self.data}, "
                f"got {self.batch}"
            )
        if self.width != 1.0 and self.model not in STAGE_WIDTHS:
            raise ValueError(f"width must be 1 for {self.model}: it is built as published, got {self.width:g}")
        if self.model == "vgg19" and self.input_size < 32:
            raise ValueError(f"image_size must be >= 32 for vgg19, which halves it five times, got {self.input_size}")
        self._channels()

    @property
    def packages(self) -> Packages:
        """Return what builds the net, or transforms its images."""
        return ("torchvision", "timm") if self.model in _BUILT_BY_TIMM else ("torchvision",)

    @property
    def images(self) -> ImageSet:
        """Return what is known about the data."""
        return IMAGE_SETS[self.data]

    @property
    def input_size(self) -> int:
        """Return the side of an image as the net sees it."""
        return self.image_size or self.images.height

    @property
    def num_classes(self) -> int:
        """Return the outputs of the net."""
        assert self.images.num_classes is not None
        return self.images.num_classes

    @property
    def family(self) -> str:
        """Return the published name of the net."""
        return TITLES[self.model]

    @property
    def title(self) -> str:
        """Return the published name, with the width where it is not the published one."""
        return self.family if self.width == 1.0 else f"{self.family} x{self.width:g}"

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Return the channels of the stages; empty for a net that is built as published only."""
        return self._channels()

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass; the remainder is dropped, and drawn anew in the next epoch."""
        return self.images.num_training // self.batch

    @property
    def shape(self) -> str:
        """Return "on 3x32x32, batch 128, crop, flip"."""
        tricks = [name for name in ("flip", "cutout", "auto_augment", "cutmix", "mixup") if getattr(self, name)]
        words = [
            f"on {self.images.channels}x{self.input_size}x{self.input_size}",
            f"batch {self.batch}",
            *([f"{self.crop} crop"] if self.crop != "none" else []),
            *(name.replace("_", " ") for name in tricks),
            *([f"label smoothing {self.label_smoothing:g}"] if self.label_smoothing else []),
            *(["from a checkpoint"] if self.checkpoint else []),
            *(["synthetic data"] if self.stand_in else []),
        ]
        return ", ".join(words)

    @property
    def stand_in(self) -> bool:
        """Whether data or checkpoint is generated in place of one that cannot be had."""
        return self.images.stand_in or self.checkpoint == STAND_IN_CHECKPOINT

    def scaled(self, scale: float) -> Self:
        """Return the same net with its channels times `scale`. Raises `ValueError` where they are not whole numbers."""
        return replace(self, width=self.width * scale)

    def _channels(self) -> tuple[int, ...]:
        published = STAGE_WIDTHS.get(self.model, ())
        scaled = tuple(channels * self.width for channels in published)
        if any(channels != int(channels) or channels < 1 for channels in scaled):
            raise ValueError(f"channels {published} times {self.width:g} are not whole numbers")
        return tuple(int(channels) for channels in scaled)
