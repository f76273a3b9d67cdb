"""Generated stand-ins in the on-disk format of sets that cannot be had here, so that the real readers are exercised.

An image is a smooth pattern of its class and noise: learnable, and about nothing in the world. They say whether a
suite runs, never how well an optimizer trains; no claim is judged on them.
"""

import pickle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.files import made_once
from evabench.datasets.places import cache_folder
from evabench.settings.datasets import IMAGE_SETS

_VERSION = 1  # of what is generated: part of the folder's name
_IMAGENET_SIDES = (240, 256)  # height and width: not square, as photographs are not


def make_cifar100() -> Path:
    """Return a folder with `train` and `test`, pickles with the keys of `cifar-100-python`."""
    return made_once(_folder("cifar-100-python"), _write_cifar100)


def make_imagenet() -> Path:
    """Return a folder with `train` and `val`; each holds one folder of JPEG files per class."""
    return made_once(_folder("imagenet"), _write_imagenet)


def _folder(name: str) -> Path:
    return cache_folder() / "stand-ins" / f"{name}-{_VERSION}"


def _write_cifar100(folder: Path) -> None:
    known = IMAGE_SETS["cifar100_stand_in"]
    folder.mkdir()
    for split, num_images, seed in (("train", known.num_train, 1), ("test", known.num_test, 2)):
        labels = np.arange(num_images) % 100
        images = _images(labels, 100, (32, 32), seed)
        batch = {
            "data": images.reshape(num_images, -1),
            "fine_labels": labels.tolist(),
            "coarse_labels": (labels // 5).tolist(),
            "filenames": [f"{split}_{index}.png" for index in range(num_images)],
        }
        (folder / split).write_bytes(pickle.dumps(batch))


def _write_imagenet(folder: Path) -> None:
    from PIL import Image

    known = IMAGE_SETS["imagenet_stand_in"]
    assert known.num_classes
    for split, num_images, seed in (("train", known.num_train, 1), ("val", known.num_test, 2)):
        labels = np.arange(num_images) % known.num_classes
        images = _images(labels, known.num_classes, _IMAGENET_SIDES, seed)
        for index, (label, image) in enumerate(zip(labels, images, strict=True)):
            path = folder / split / f"n{label:08d}" / f"{index}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(path, quality=85)


def _images(labels: NDArray[np.int64], num_classes: int, sides: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """Return [samples, 3, height, width]: waves of a frequency and phase that the class draws, and noise."""
    classes, rng = np.random.default_rng(0), np.random.default_rng(seed)
    frequencies = classes.uniform(1, 4, (num_classes, 3, 2))
    phases = classes.uniform(0, 2 * np.pi, (num_classes, 3, 1, 1))
    down, across = (np.linspace(0, np.pi, side) for side in sides)
    images = np.empty((len(labels), 3, *sides), np.uint8)
    for index, label in enumerate(labels):
        waves = frequencies[label, :, :1, None] * down[:, None] + frequencies[label, :, 1:, None] * across
        noisy = 128 + 60 * np.sin(waves + phases[label]) + 30 * rng.standard_normal((3, *sides))
        images[index] = np.clip(noisy, 0, 255)
    return images
