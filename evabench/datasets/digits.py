"""The 8 x 8 digits (UCI, as scikit-learn ships them): 1,500 for training, the last 297 for the test."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.files import reading
from evabench.errors import DataError

_NUM_TRAIN = 1_500
_GREYS = 16  # values go from 0 to 16; stored times 15, so that they fill a byte like other images


def read_digits(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return training images [1500, 1, 8, 8], labels, test images [297, 1, 8, 8] and labels."""
    content = reading(path, lambda: gzip.decompress(path.read_bytes()))
    try:
        table = np.loadtxt(content.decode().splitlines(), delimiter=",", dtype=np.int64)
        images = (table[:, :64] * 15).reshape(-1, 1, 8, 8)
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is no table of 64 pixels and a label: {error}") from None
    if images.max() > _GREYS * 15:
        raise DataError(f"{path} has pixels above {_GREYS}")
    pixels, labels = images.astype(np.uint8), table[:, 64].astype(np.uint8)
    return pixels[:_NUM_TRAIN], labels[:_NUM_TRAIN], pixels[_NUM_TRAIN:], labels[_NUM_TRAIN:]
