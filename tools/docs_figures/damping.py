"""docs/findings.md: the stable range, from the runs of suite `damping`."""

from collections.abc import Iterator

from torch import Tensor

from evabench.settings.autoencoders import AutoencoderSettings
from evabench.workloads.data import load_images
from evabench.workloads.trivial import reconstruction_levels
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import curve, final_losses, spread, trainings

PAGE = "findings.md"
_NETS = {"autoencoder-half": 3, "resnet20-narrow": 2, "gpt-small": 2}  # decimals
_BLOWN_UP = 1000
_ARMS = {
    "SGD, lr 0.1": "SGD",
    "Eva": "Eva",
    "damping 0.003": "Eva, damping 0.003",
    "damping 0.3": "Eva, damping 0.3",
    "damping 3": "Eva, damping 3",
    "lr 0.01": "Eva, lr 0.01",
    "lr 0.03": "Eva, lr 0.03",
    "lr 0.3": "Eva, lr 0.3",
    "lr 1": "Eva, lr 1",
    "new statistic weight 0.65": "Eva, new statistic weight 0.65",
    "new statistic weight 0.35": "Eva, new statistic weight 0.35",
    "new statistic weight 0.05": "Eva, new statistic weight 0.05",
    "no momentum": "Eva, no momentum",
    "no clip": "Eva, no clip",
    "KL normalisation": "Eva, KL normalisation",
    "rescaled to the gradient's length": "Eva, rescaled",
    "16 samples": "Eva, 16 samples",
    "output gradient per example (of images: per_example_mean)": "Eva, per example",
}


def computed() -> Iterator[Computed]:
    """Yield the table of final losses."""
    shares = [_accuracies("resnet20-narrow", arm) for arm in ("Eva, no clip", "Eva")]
    yield ComputedWords(page=PAGE, text=f"(validation accuracy {shares[0]}, with it {shares[1]})")
    start = tuple(f"{_start(net):.{digits}f}" for net, digits in _NETS.items())
    mean, component = reconstruction_levels(*_autoencoder_images())
    yield ComputedWords(
        page=PAGE,
        text=(
            f"has a validation loss of {mean.validation_loss:.4f} there, and one principal component "
            f"{component.validation_loss:.4f}"
        ),
    )
    yield ComputedTable(
        page=PAGE,
        heading=(
            "arm",
            "autoencoder, half width",
            "ResNet-20, a quarter of the channels",
            "GPT, 2 layers of width 64",
        ),
        rows=[
            ("loss at the start", *start),
            *((title, *(_cell(net, arm, digits) for net, digits in _NETS.items())) for title, arm in _ARMS.items()),
        ],
    )


def _autoencoder_images() -> tuple[Tensor, Tensor]:
    """Return the training and the validation images of the half-width autoencoder."""
    run, *_ = trainings("damping", "autoencoder-half", "SGD")
    assert isinstance(run.cell.workload, AutoencoderSettings)
    images = load_images(run.cell.workload.data)
    return images.train, images.validation


def _accuracies(net: str, arm: str) -> str:
    found = [curve(run).evaluations[-1].validation_accuracy or 0.0 for run in trainings("damping", net, arm)]
    return f"{100 * min(found):.0f} to {100 * max(found):.0f} %"


def _start(net: str) -> float:
    losses = [curve(run).evaluations[0].validation_loss for run in trainings("damping", net, "SGD")]
    known = sorted(loss for loss in losses if loss is not None)
    return known[len(known) // 2]


def _cell(net: str, arm: str, digits: int) -> str:
    losses = final_losses(trainings("damping", net, arm))
    known = [loss for loss in losses if loss is not None]
    if not known:
        return f"diverged, {len(losses)} of {len(losses)}"
    return spread(known, lambda loss: f"{loss:.1e}" if loss > _BLOWN_UP else f"{loss:.{digits}f}")
