"""What a plain step launches on a device, held against the table of docs/optimizer-cost.md, its baseline."""

from pathlib import Path

import pytest
import torch

from evabench.measurement.counts import OperatorCounter
from evabench.measurement.step import training_step
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.workloads.noise import build_on_noise
from evabench.workloads.placed import placed
from tools.gpu_check.trainings import ARMS

PAGE = Path(__file__).parent.parent.parent / "docs" / "optimizer-cost.md"
# From 16 samples on, hooks leave to the step what they leave at any batch.
NETS = {
    "autoencoder": AutoencoderSettings(batch=16),
    "ResNet-32": ClassifierSettings(model="resnet32", batch=16),
}
PASSES = "both passes alone"
ROWS = {
    "SGD, fused": "SGD, fused",
    "SGD, foreach": "SGD",
    "AdamW, fused": "AdamW, fused",
    "AdamW, foreach": "AdamW",
    "Eva": "Eva",
    "Eva-f": "Eva-f",
    "Eva-s": "Eva-s",
    "M-FAC": "M-FAC",
    "K-FAC@10": "K-FAC@10",
    "FOOF@10": "FOOF@10, cholesky",
    "Shampoo@10": "Shampoo@10",
}
LAYERS = {"autoencoder": 8, "ResNet-32": 32}
GOALS = {"Eva": 6, "Eva-f": 5, "K-FAC@10": 6}  # per layer, and 20, beyond SGD's


def counted(net, row):
    """Return the launches of the third step, which is plain and finds its state, and what it reads on the host."""
    torch.manual_seed(0)
    workload = placed(build_on_noise(NETS[net], seed=0), torch.device("standin", 0))
    if row == PASSES:
        optimizer = torch.optim.SGD(workload.model.parameters())
        optimizer.step = lambda closure=None: None
    else:
        optimizer = ARMS[ROWS[row]].build(workload.model)
    batch = next(workload.batches())
    counter = OperatorCounter("standin")
    for _ in range(3):
        counter.take()
        with counter:
            training_step(workload, optimizer, batch)
    step = counter.take()
    return step.num_operators, step.host_reads


def table():
    """Return what the page has for each row and net: the launches, and those beyond both passes."""
    section = PAGE.read_text().split("### Launches of a plain step")[1].split("\n### ")[0].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip().replace(",", "") for cell in line.strip("|").split("|")]
        name = line.strip("|").split("|")[0].strip()
        if name in {*ROWS, PASSES}:
            found[name] = {net: tuple(cells[place : place + 2]) for net, place in zip(NETS, (1, 4), strict=True)}
    return found


def launches(row, net):
    return int(table()[row][net][0])


def test_the_table_has_every_optimizer_on_both_nets():
    assert set(table()) == {*ROWS, PASSES}


CHEAP = [("autoencoder", row) for row in (PASSES, "SGD, fused", *GOALS)]
REST = [(net, row) for net in NETS for row in (PASSES, *ROWS) if (net, row) not in CHEAP]


@pytest.mark.parametrize(("net", "row"), [*CHEAP, *(pytest.param(*each, marks=pytest.mark.long) for each in REST)])
def test_a_plain_step_launches_what_the_page_says_and_reads_nothing(standin, net, row):
    assert standin.ask(counted, net, row) == (launches(row, net), 0)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("row", GOALS)
def test_the_goals_are_reached(row, net):
    beyond_sgd = launches(row, net) - launches("SGD, fused", net)
    assert beyond_sgd <= GOALS[row] * LAYERS[net] + 20


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("row", ROWS)
def test_what_the_page_has_beyond_both_passes_follows_from_the_launches(row, net):
    assert int(table()[row][net][1]) == launches(row, net) - launches(PASSES, net)
