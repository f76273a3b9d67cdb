"""Equal layers on Gaussian noise, for scaling laws."""

import torch
from torch import Tensor, nn

from evabench.settings.synthetic import SyntheticSettings
from evabench.workloads.seeds import seeded


def build_layers(settings: SyntheticSettings) -> nn.Sequential:
    """Return `depth` layers of one width, ReLU between them, none at the end."""
    layers: list[nn.Module] = []
    for index in range(settings.depth):
        layers.append(_layer(settings))
        if index < settings.depth - 1:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def draw_noise(settings: SyntheticSettings, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Return four batches to train on, one for validation and one for the test; each is its own target."""
    sides = (settings.image_size, settings.image_size) if settings.layer == "conv" else ()
    splits = {}
    with seeded(seed):
        for split, batches in (("train", settings.steps_per_epoch), ("validation", 1), ("test", 1)):
            noise = torch.randn(batches * settings.batch, settings.width, *sides)
            splits[split] = noise, noise
    return splits


def _layer(settings: SyntheticSettings) -> nn.Module:
    if settings.layer == "linear":
        return nn.Linear(settings.width, settings.width)
    return nn.Conv2d(settings.width, settings.width, kernel_size=3, padding=1)
