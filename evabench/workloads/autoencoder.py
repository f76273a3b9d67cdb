"""The deep autoencoder on images, with its loss and its batches."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from evabench.settings.workloads import AutoencoderSettings
from evabench.workloads.data import load_images

_EVALUATION_BATCH = 1000


class AutoencoderWorkload:
    """A model with initial weights drawn by a seed, and batches in an order drawn by the same seed.

    Weights and batches have generators of their own, so neither depends on the optimizer or on how many random
    numbers it draws: every arm with this seed starts from the same point and sees the same batches.
    """

    def __init__(self, settings: AutoencoderSettings, seed: int) -> None:
        self.settings = settings
        self.images = load_images(settings.data)
        self.model = build_autoencoder(settings.widths, seed)
        self._order = torch.Generator().manual_seed(seed + 1)

    def batches(self) -> Iterator[Tensor]:
        """Yield [batch, 784] float32 in [0, 1], in a new order each epoch, without end."""
        train, batch = self.images.train, self.settings.batch
        while True:
            order = torch.randperm(len(train), generator=self._order)
            for start in range(0, len(train) - batch + 1, batch):
                yield to_float(train[order[start : start + batch]])

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean squared error over batch and pixels, as the authors' scripts do."""
        return nn.functional.mse_loss(self.model(batch), batch)

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Return the loss on the validation split; may be NaN or infinite."""
        return self._mean_loss(self.images.validation)

    @torch.no_grad()
    def test_loss(self) -> float:
        """Return the loss on the test set: to be asked once, at the end of a run."""
        return self._mean_loss(self.images.test)

    def _mean_loss(self, images: Tensor) -> float:
        self.model.eval()
        total = 0.0
        for start in range(0, len(images), _EVALUATION_BATCH):
            part = to_float(images[start : start + _EVALUATION_BATCH])
            total += float(self.loss(part)) * len(part)
        self.model.train()
        return total / len(images)


def build_autoencoder(widths: tuple[int, ...], seed: int) -> nn.Sequential:
    """Return Linear layers along `widths` and back, ReLU between them, none after the code nor after the output.

    Initial weights are torch's own for Linear, drawn with `seed` without touching the global generator.
    """
    mirrored = (*widths, *reversed(widths[:-1]))
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for index, (width_in, width_out) in enumerate(pairwise(mirrored)):
            layers.append(nn.Linear(width_in, width_out))
            if index not in (len(widths) - 2, len(mirrored) - 2):
                layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def to_float(images: Tensor) -> Tensor:
    """Return bytes as float32 in [0, 1]."""
    return images.to(torch.float32).div_(255)
