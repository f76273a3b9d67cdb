"""Data sets as both sides know them: what a sample looks like and how many there are. Where files lie: `datasets`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ImageName = Literal[
    "fashion_mnist_subset",
    "fashion_mnist",
    "mnist",
    "digits",
    "faces",
    "faces_orl",
    "faces_orl_small",
    "curves",
    "curves_like",
    "cifar10",
    "cifar100",
    "cifar100_stand_in",
    "imagenet",
    "imagenet_stand_in",
]
TextName = Literal["sotu", "shakespeare", "moby_dick", "python_stdlib"]
DataName = ImageName | TextName

# Of the training set: its last tenth is kept aside for validation, everywhere.
VALIDATION_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images: the published training set (validation split included) and the published test set."""

    title: str
    channels: int = 1
    height: int
    width: int
    num_classes: int | None = 10  # None: no labels
    num_train: int  # the last tenth is the validation split
    num_test: int
    mean: tuple[float, ...] = (0.5,)  # of pixels in [0, 1], a channel each: what classifiers are fed is standardised
    std: tuple[float, ...] = (0.5,)
    stand_in: bool = False  # generated in the place of a set that cannot be had: no claim is judged on it

    @property
    def num_pixels(self) -> int:
        """Return the values of one image."""
        return self.channels * self.height * self.width

    @property
    def num_training(self) -> int:
        """Return the images that are trained on."""
        return num_kept(self.num_train)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSet:
    """A text: the last tenth of its bytes is the test set, the last tenth of the rest the validation split."""

    title: str
    num_bytes: int | None  # None: differs between systems


def num_kept(num_train: int) -> int:
    """Return how many of a training set are trained on; the rest is the validation split."""
    return round(num_train * (1 - VALIDATION_SHARE))


_CIFAR_MEAN, _CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

IMAGE_SETS: Mapping[ImageName, ImageSet] = {
    "fashion_mnist_subset": ImageSet(
        title="Fashion-MNIST, 12,000 of 70,000 images", height=28, width=28, num_train=10_000, num_test=2_000
    ),
    "fashion_mnist": ImageSet(title="Fashion-MNIST", height=28, width=28, num_train=60_000, num_test=10_000),
    "mnist": ImageSet(
        title="MNIST", height=28, width=28, num_train=60_000, num_test=10_000, mean=(0.1307,), std=(0.3081,)
    ),
    "digits": ImageSet(title="digits", height=8, width=8, num_train=1_500, num_test=297),
    # FACES: 25 people for training and 10 others for the test; the authors' scripts test on the training set.
    "faces": ImageSet(title="FACES", height=25, width=25, num_classes=None, num_train=103_500, num_test=41_400),
    "faces_orl": ImageSet(
        title="FACES, made anew from the ORL photographs",
        height=25,
        width=25,
        num_classes=None,
        num_train=103_500,
        num_test=41_400,
    ),
    "faces_orl_small": ImageSet(
        title="FACES, a tenth, made anew from the ORL photographs",
        height=25,
        width=25,
        num_classes=None,
        num_train=10_000,
        num_test=4_000,
    ),
    # CURVES: the file has a test set of its own; the authors' scripts test on the training set.
    "curves": ImageSet(title="CURVES", height=28, width=28, num_classes=None, num_train=20_000, num_test=10_000),
    "curves_like": ImageSet(
        title="CURVES-like, generated",
        height=28,
        width=28,
        num_classes=None,
        num_train=20_000,
        num_test=10_000,
        stand_in=True,
    ),
    "cifar10": ImageSet(
        title="CIFAR-10",
        channels=3,
        height=32,
        width=32,
        num_train=50_000,
        num_test=10_000,
        mean=_CIFAR_MEAN,
        std=_CIFAR_STD,
    ),
    "cifar100": ImageSet(
        title="CIFAR-100",
        channels=3,
        height=32,
        width=32,
        num_classes=100,
        num_train=50_000,
        num_test=10_000,
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
    ),
    "cifar100_stand_in": ImageSet(
        title="stand-in for CIFAR-100",
        channels=3,
        height=32,
        width=32,
        num_classes=100,
        num_train=1_000,
        num_test=200,
        stand_in=True,
    ),
    "imagenet": ImageSet(
        title="ImageNet",
        channels=3,
        height=224,
        width=224,
        num_classes=1000,
        num_train=1_281_167,
        num_test=50_000,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
    ),
    "imagenet_stand_in": ImageSet(
        title="stand-in for ImageNet",
        channels=3,
        height=224,
        width=224,
        num_classes=10,
        num_train=200,
        num_test=50,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        stand_in=True,
    ),
}

TEXT_SETS: Mapping[TextName, TextSet] = {
    "sotu": TextSet(title="State of the Union addresses, 1790 to 2021", num_bytes=10_761_666),
    "shakespeare": TextSet(title="Shakespeare's works", num_bytes=5_057_279),
    "moby_dick": TextSet(title="Moby Dick", num_bytes=1_204_996),
    "python_stdlib": TextSet(title="Python's standard library", num_bytes=None),
}
