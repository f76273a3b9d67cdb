"""Live tensors and the workspace of the operator are the allocator's peak, in real runs of every optimizer.

Both are counted apart: by the dispatcher in one step, by the allocator's own events in another. ResNet-32 has its real
depth, everything else is narrow.
"""

import pytest

from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import MemorySettings
from evabench.records.request import Request
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.shampoo import ShampooSettings
from tests.runs import SMALL

NETS = {
    "autoencoder": SMALL,
    "ResNet-32": ClassifierSettings(model="resnet32", data="fashion_mnist_subset", width=0.25, batch=16),
    "GPT": LanguageSettings(data="python_stdlib", context=32, layers=2, heads=2, width=32, batch=8, held_out_windows=8),
}
ARMS = {
    "SGD": SgdSettings(lr=0.1, momentum=0.9),
    "AdamW": AdamWSettings(lr=0.01),
    "Eva": EvaSettings(),
    "Eva-f": EvaFSettings(),
    "Eva-s": EvaSSettings(),
    "K-FAC": KfacSettings(refresh_every=2),
    "FOOF": FoofSettings(refresh_every=2),
    "Shampoo": ShampooSettings(refresh_every=2),
    "M-FAC": MfacSettings(),
    "Muon": PluginSettings(name="evabench.peers.torch_muon:muon", takes_model=True),
}


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="memory") as started:
        yield started


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("net", NETS)
def test_tensors_and_workspace_are_the_allocators_peak_and_nothing_is_kept(server, net, arm):
    made = Cell(workload_name=net, workload=NETS[net], arm=arm, optimizer=ARMS[arm], measurement=MemorySettings())
    found = server.perform(Request(cell=made, seed=1, warmup_steps=0, timeout_seconds=120)).measured
    assert found.tensors_there_bytes + found.workspace_bytes == pytest.approx(found.allocator_peak_bytes, rel=0.01)
    assert not found.leaks
