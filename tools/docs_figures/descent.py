"""docs/baselines.md: every baseline descends, from the runs of suite `descent`."""

from collections.abc import Iterator

from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import curve, trainings

PAGE = "baselines.md"
_NETS = {"autoencoder-half": 3, "resnet20": 2, "gpt-small": 2}  # decimals
_ARMS = {
    "SGD, lr 0.1": ("SGD",),
    "K-FAC": ("K-FAC@1", "K-FAC@10", "K-FAC@50"),
    "FOOF, eigh": ("FOOF@1", "FOOF@10", "FOOF@50"),
    "FOOF, top_k = 16": ("FOOF@1, top 16", "FOOF@10, top 16", "FOOF@50, top 16"),
    "Shampoo, eigh": ("Shampoo@1", "Shampoo@10", "Shampoo@50"),
    "Shampoo, newton, blocks of 256": tuple(f"Shampoo@{k}, Newton, blocks of 256" for k in (1, 10, 50)),
    "M-FAC, lr 0.01, damping 0.1": ("M-FAC, damping 0.1",),
    "M-FAC, lr 1e-3, damping 1e-5 (the defaults)": ("M-FAC",),
}


def computed() -> Iterator[Computed]:
    """Yield the table of losses after 200 steps."""
    starts = {net: curve(trainings("descent", net, "SGD")[0]).evaluations[0].validation_loss or 0.0 for net in _NETS}
    yield ComputedWords(page=PAGE, text=f"(validation loss {starts['autoencoder-half']:.3f} before training)")
    yield ComputedWords(page=PAGE, text=f"({starts['resnet20']:.1f}: its statistics of batch norm")
    yield ComputedWords(page=PAGE, text=f"({starts['gpt-small']:.2f} nats)")
    yield ComputedTable(
        page=PAGE,
        heading=("", "autoencoder", "ResNet-20", "transformer"),
        rows=[
            (title, *(" / ".join(_loss(net, arm, digits) for arm in arms) for net, digits in _NETS.items()))
            for title, arms in _ARMS.items()
        ],
    )


def _loss(net: str, arm: str, digits: int) -> str:
    (run,) = trainings("descent", net, arm)
    loss = curve(run).evaluations[-1].validation_loss
    if loss is None:
        return "diverged"
    return f"{loss:.0f}: diverged" if loss > 100 else f"{loss:.{digits}f}"
