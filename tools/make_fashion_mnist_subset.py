"""Write the Fashion-MNIST subset that evabench ships: `python tools/make_fashion_mnist_subset.py`.

Reads the full set where `evabench data` finds it (Debian: `apt-get install dataset-fashion-mnist`), draws 1,000
training and 200 test images of each class with a fixed seed, shuffles them, and writes
`evabench/workloads/embedded/fashion_mnist_subset.npz`. Running it again writes the same arrays.
"""

import numpy as np

from evabench.datasets.images import EMBEDDED_SUBSET, read_images

SEED = 20260101
PER_CLASS = {"train": 1_000, "test": 200}


def draw_subset() -> dict[str, np.ndarray]:
    """Return the arrays of the subset: images [samples, 28, 28] and labels of each split."""
    random, full = np.random.default_rng(SEED), read_images("fashion_mnist")
    arrays = {}
    for split in PER_CLASS:
        images, labels = getattr(full, f"{split}_images")[:, 0], getattr(full, f"{split}_labels")
        chosen = np.concatenate(
            [random.choice(np.flatnonzero(labels == label), PER_CLASS[split], replace=False) for label in range(10)]
        )
        chosen = random.permutation(chosen)
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images[chosen], labels[chosen]
    return arrays


def main() -> None:
    """Draw, shuffle and write."""
    np.savez_compressed(EMBEDDED_SUBSET, **draw_subset())
    print(f"wrote {EMBEDDED_SUBSET} ({EMBEDDED_SUBSET.stat().st_size / 2**20:.1f} MiB)")


if __name__ == "__main__":
    main()
