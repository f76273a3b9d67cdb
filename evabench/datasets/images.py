"""Image sets as arrays, whatever form their files have."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evabench.datasets import cifar, curves, digits, faces, idx, stand_ins
from evabench.datasets.catalogue import CIFAR10_MD5, CIFAR100_MD5, FASHION_MNIST_MD5, MNIST_MD5
from evabench.datasets.places import Place, require, told_how_to_get
from evabench.errors import DataError
from evabench.settings.datasets import IMAGE_SETS, ImageName

EMBEDDED_SUBSET = Path(__file__).parent.parent / "workloads" / "embedded" / "fashion_mnist_subset.npz"

Labels = NDArray[np.uint8]
Values = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArrays:
    """The published training set, validation split included, and the published test set.

    Images are [samples, channels, height, width], bytes or (FACES and CURVES) float32; None: no labels.
    """

    train_images: Values
    train_labels: Labels | None
    test_images: Values
    test_labels: Labels | None


def read_images(name: ImageName) -> ImageArrays:
    """Return a data set that fits into memory.

    Raises `DataError` where it is missing, damaged or of another size, with the commands that get it.
    """
    with told_how_to_get(name):
        return _checked(name, _read(name))


def _read(name: ImageName) -> ImageArrays:
    match name:
        case "fashion_mnist_subset":
            return _embedded()
        case "fashion_mnist":
            return _labelled(idx.read_idx_set(require(name), FASHION_MNIST_MD5))
        case "mnist":
            return _labelled(idx.read_idx_set(require(name), MNIST_MD5))
        case "digits":
            return _labelled(digits.read_digits(require(name).path))
        case "cifar10":
            return _labelled(_read_cifar10(require(name)))
        case "cifar100":
            return _labelled(cifar.read_cifar100(require(name).path, CIFAR100_MD5))
        case "cifar100_stand_in":
            return _labelled(cifar.read_cifar100(stand_ins.make_cifar100(), md5=None))
        case "imagenet" | "imagenet_stand_in":
            raise ValueError(f"{name} does not fit into memory: it is streamed")
        case _:
            return _unlabelled(name)


def _read_cifar10(place: Place) -> tuple[Values, Labels, Values, Labels]:
    if place.form.format == "png_sheets_tgz":
        return cifar.read_png_sheets(place.path, place.form.sha256)
    return cifar.read_cifar10(place.path, CIFAR10_MD5)


def _unlabelled(name: ImageName) -> ImageArrays:
    train: Values
    test: Values
    match name:
        case "faces":
            train, test = faces.read_faces(require(name).path)
        case "curves":
            train, test = curves.read_curves(require(name).path)
        case "curves_like":
            train, test = curves.make_curves_set()
        case _:
            train, test = faces.make_faces_set(require(name), small=name == "faces_orl_small")
    side = IMAGE_SETS[name].height
    return ImageArrays(
        train_images=train.reshape(-1, 1, side, side),
        train_labels=None,
        test_images=test.reshape(-1, 1, side, side),
        test_labels=None,
    )


def _embedded() -> ImageArrays:
    with np.load(EMBEDDED_SUBSET, allow_pickle=False) as arrays:
        return _labelled(
            (
                arrays["train_images"].reshape(-1, 1, 28, 28),
                arrays["train_labels"],
                arrays["test_images"].reshape(-1, 1, 28, 28),
                arrays["test_labels"],
            )
        )


def _labelled(read: tuple[Values, Labels, Values, Labels]) -> ImageArrays:
    train_images, train_labels, test_images, test_labels = read
    return ImageArrays(
        train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels
    )


def _checked(name: ImageName, arrays: ImageArrays) -> ImageArrays:
    known = IMAGE_SETS[name]
    sides = (known.channels, known.height, known.width)
    for images, expected in ((arrays.train_images, known.num_train), (arrays.test_images, known.num_test)):
        if images.shape != (expected, *sides):
            found = "x".join(map(str, images.shape))
            raise DataError(f"{known.title} should have {expected} images of {sides}, found {found}.")
    return arrays
