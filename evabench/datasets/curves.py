"""CURVES: 28 x 28 images of curves through three points, from the authors' file; or CURVES-like ones, generated.

The authors' scripts test on the training set; here the test set is the file's own 10,000 images. How CURVES was drawn
was never published. The recipe below is fitted to two published numbers (linear PCA with 18 components: 5.95 here, 5.90
published; logistic PCA with 6: 7.62 and 7.64), so its images are CURVES-like and never called CURVES.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evabench.datasets.faces import read_matlab
from evabench.datasets.files import made_once
from evabench.datasets.places import cache_folder

_VERSION = 1  # of the recipe
_SIDE = 28
_SAMPLES = 64  # along a curve
_SIGMA = 0.8  # of the pen, in pixels
_CHUNK = 500  # curves drawn at once: 28 x 28 x 64 distances each


def read_curves(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return training [20000, 784] and test [10000, 784] from `digs3pts_1.mat`, values in [0, 1]."""
    train, test = (read_matlab(path, variable).astype(np.float32) for variable in ("bdata", "bdatatest"))
    return train, test


def make_curves_set() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return training [20000, 784] and test [10000, 784] as bytes; the same on every machine."""
    drawn = []
    for num_images, seed in ((20_000, 0), (10_000, 1)):
        path = cache_folder() / "made" / f"curves-{_VERSION}-{num_images}-{seed}.npy"
        made_once(path, lambda to, n=num_images, s=seed: np.save(to, make_curves(n, s)))  # type: ignore[misc]
        drawn.append(np.load(path, allow_pickle=False))
    return drawn[0], drawn[1]


def make_curves(num_images: int, seed: int) -> NDArray[np.uint8]:
    """Return [num_images, 784]: natural cubic splines through three points uniform in [5.8, 21.2]^2.

    The knots are 0, 1/2 and 1. A pixel at distance d from the curve has intensity exp(-d^2 / (2 sigma^2)).
    """
    points = np.random.default_rng(seed).uniform(5.8, 21.2, (num_images, 3, 2))
    weights = _spline_weights(np.linspace(0, 1, _SAMPLES))  # [samples, 3]
    curves = np.einsum("sk,nkd->nsd", weights, points).astype(np.float32)
    grid = np.arange(_SIDE, dtype=np.float32)
    images = np.empty((num_images, _SIDE * _SIDE), np.uint8)
    for start in range(0, num_images, _CHUNK):
        part = curves[start : start + _CHUNK]
        down = (grid[None, :, None] - part[:, None, :, 0]) ** 2  # [curves, rows, samples]
        across = (grid[None, :, None] - part[:, None, :, 1]) ** 2
        nearest = (down[:, :, None] + across[:, None]).min(axis=-1)
        images[start : start + _CHUNK] = np.rint(255 * np.exp(-nearest / (2 * _SIGMA**2))).reshape(len(part), -1)
    return images


def _spline_weights(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each of the three points at the parameters t, [samples, 3].

    A natural spline on knots 0, 1/2, 1 has one free second derivative, at the middle: 6 (p0 - 2 p1 + p2).
    """
    left = t <= 0.5
    u = np.where(left, 2 * t, 2 * t - 1)  # within its half
    first, middle, last = np.where(left, 1 - u, 0), np.where(left, u, 1 - u), np.where(left, 0, u)
    # Hermite's cubic of a half of length 1/2: (w^3 - w) / 6 * (1/2)^2 * second derivative at its inner end.
    inner = np.where(left, u, 1 - u)
    bend = (inner**3 - inner) / 24 * 6
    return np.stack([first + bend, middle - 2 * bend, last + bend], axis=1)
