"""Images on disk -> three splits in memory. Nothing is downloaded.

Where the full Fashion-MNIST is looked for, in this order:

1. `$EVABENCH_DATA/FashionMNIST/raw/` (torchvision's layout, raw or .gz)
2. `~/.cache/torch/datasets/`, `./data/` and `~/data/`, the usual roots of torchvision, in the same layout
3. `/usr/share/datasets/fashion-mnist/` (Debian: `apt-get install dataset-fashion-mnist`)

The subset of 10,000 + 2,000 images ships inside the package (MIT licence beside it).
"""

import gzip
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evabench.errors import DataError
from evabench.settings.workloads import VALIDATION_SHARE, DataName

EMBEDDED_SUBSET = Path(__file__).parent / "embedded" / "fashion_mnist_subset.npz"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

# md5 of the uncompressed files: equal in torchvision's and Debian's copies.
FASHION_MNIST_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
_IDX_HEADER_BYTES = {"images": 16, "labels": 8}

Bytes8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Images:
    """Flat images as bytes: the last tenth of the training set is kept for validation, test is apart."""

    train: Tensor  # [samples, pixels] uint8
    validation: Tensor
    test: Tensor


def load_images(name: DataName) -> Images:
    """Return the three splits of a data set. Raises `DataError` where it is missing or damaged."""
    match name:
        case "fashion_mnist_subset":
            with np.load(EMBEDDED_SUBSET, allow_pickle=False) as arrays:
                train, test = arrays["train_images"], arrays["test_images"]
        case "fashion_mnist":
            splits = read_full_fashion_mnist()
            train, test = splits["train"][0], splits["test"][0]
    kept = round(len(train) * (1 - VALIDATION_SHARE))
    return Images(_flat(train[:kept]), _flat(train[kept:]), _flat(test))


def read_full_fashion_mnist() -> dict[str, tuple[Bytes8, Bytes8]]:
    """Return {"train": (images [60000, 28, 28], labels [60000]), "test": ...}."""
    folder = _find_fashion_mnist()
    read = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = _read_idx(folder, f"{prefix}-images-idx3-ubyte", "images").reshape(-1, 28, 28)
        read[split] = images, _read_idx(folder, f"{prefix}-labels-idx1-ubyte", "labels")
    return read


def _flat(images: Bytes8) -> Tensor:
    return torch.from_numpy(images.reshape(len(images), -1).copy())


def _find_fashion_mnist() -> Path:
    roots = [Path("~/.cache/torch/datasets").expanduser(), Path("data"), Path("~/data").expanduser()]
    if given := os.environ.get("EVABENCH_DATA"):
        roots.insert(0, Path(given))
    folders = [root / "FashionMNIST" / "raw" for root in roots] + [DEBIAN_FOLDER]
    for folder in folders:
        if any((folder / f"train-images-idx3-ubyte{end}").exists() for end in ("", ".gz")):
            return folder
    looked = "\n".join(f"  {folder}" for folder in folders)
    raise DataError(
        f"Fashion-MNIST was not found. Looked in:\n{looked}\n"
        "Get it with `apt-get install dataset-fashion-mnist`, or with\n"
        "  python -c \"import torchvision; torchvision.datasets.FashionMNIST('data', download=True)\"\n"
        'or use data = "fashion_mnist_subset", which ships with evabench.'
    )


def _read_idx(folder: Path, name: str, kind: str) -> Bytes8:
    plain, zipped = folder / name, folder / f"{name}.gz"
    path = plain if plain.exists() else zipped
    try:
        content = path.read_bytes() if path == plain else gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}. Delete it and get the data set again.") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != FASHION_MNIST_MD5[name]:
        raise DataError(
            f"{path} is not the published file: md5 {found}, expected {FASHION_MNIST_MD5[name]}. "
            "Delete it and get the data set again."
        )
    return np.frombuffer(content, np.uint8, offset=_IDX_HEADER_BYTES[kind])
