"""The deep autoencoder."""

from itertools import pairwise

from torch import nn

from evabench.workloads.seeds import seeded


def build_autoencoder(widths: tuple[int, ...], seed: int) -> nn.Sequential:
    """Return Linear layers along `widths` and back, ReLU between them, none after the code nor after the output.

    Initial weights are torch's own for Linear, drawn with `seed` without touching the global generator.
    """
    mirrored = (*widths, *reversed(widths[:-1]))
    layers: list[nn.Module] = []
    with seeded(seed):
        for index, (width_in, width_out) in enumerate(pairwise(mirrored)):
            layers.append(nn.Linear(width_in, width_out))
            if index not in (len(widths) - 2, len(mirrored) - 2):
                layers.append(nn.ReLU())
    return nn.Sequential(*layers)
