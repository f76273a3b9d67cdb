"""Arrays on disk -> three splits in memory: training, validation (the last tenth of the training set) and test."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evabench.datasets.images import Labels, Values, read_images
from evabench.datasets.texts import read_text
from evabench.settings.datasets import ImageName, TextName, num_kept


@dataclass(frozen=True, slots=True)
class Images:
    """Flat images, bytes or (FACES, CURVES) float32, and labels where the set has them."""

    train: Tensor  # [samples, pixels], a pixel's channels far apart: reshape to [samples, channels, height, width]
    validation: Tensor
    test: Tensor
    train_labels: Tensor | None = None  # [samples] int64
    validation_labels: Tensor | None = None
    test_labels: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The bytes of a text in three pieces, in its own order."""

    train: bytes
    validation: bytes
    test: bytes


def load_images(name: ImageName) -> Images:
    """Return the three splits of a data set. Raises `DataError` where it is missing or damaged."""
    arrays = read_images(name)
    kept = num_kept(len(arrays.train_images))
    return Images(
        _flat(arrays.train_images[:kept]),
        _flat(arrays.train_images[kept:]),
        _flat(arrays.test_images),
        _labels(arrays.train_labels, slice(None, kept)),
        _labels(arrays.train_labels, slice(kept, None)),
        _labels(arrays.test_labels, slice(None)),
    )


def load_text(name: TextName) -> Text:
    """Return the three splits of a text: its last tenth is the test set, the last tenth of the rest validation."""
    text = read_text(name)
    before_test = num_kept(len(text))
    kept = num_kept(before_test)
    return Text(text[:kept], text[kept:before_test], text[before_test:])


def _flat(images: Values) -> Tensor:
    return torch.from_numpy(np.array(images.reshape(len(images), -1)))


def _labels(labels: Labels | None, part: slice) -> Tensor | None:
    return None if labels is None else torch.from_numpy(labels[part].astype(np.int64))
