"""MNIST and Fashion-MNIST in the IDX format, as a folder of files or inside an npm archive."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.files import check, check_archive, plain_or_gz, read_members, read_unzipped
from evabench.datasets.places import Place
from evabench.errors import DataError

Bytes8 = NDArray[np.uint8]

_HEADER_BYTES = {"images": 16, "labels": 8}


def read_idx_set(place: Place, md5: Mapping[str, str]) -> tuple[Bytes8, Bytes8, Bytes8, Bytes8]:
    """Return training images [60000, 1, 28, 28], their labels, test images [10000, 1, 28, 28] and their labels."""
    if place.form.format == "idx_tgz":
        archive = check_archive(place.path, place.form.sha256)
        members = read_members(archive, lambda name: name.rpartition("/")[2] in md5)
        contents = {name.rpartition("/")[2]: content for name, content in members.items()}
        paths = {name: archive / name for name in contents}
        if missing := [name for name in md5 if name not in contents]:
            raise DataError(f"{archive} has no {', '.join(missing)}")
    else:
        paths = {name: plain_or_gz(place.path, name) for name in md5}
        contents = {name: read_unzipped(path) for name, path in paths.items()}
    arrays = {name: _values(check(paths[name], content, md5[name]), name) for name, content in contents.items()}
    return (
        arrays["train-images-idx3-ubyte"].reshape(-1, 1, 28, 28),
        arrays["train-labels-idx1-ubyte"],
        arrays["t10k-images-idx3-ubyte"].reshape(-1, 1, 28, 28),
        arrays["t10k-labels-idx1-ubyte"],
    )


def _values(content: bytes, name: str) -> Bytes8:
    return np.frombuffer(content, np.uint8, offset=_HEADER_BYTES[name.split("-")[1]])
