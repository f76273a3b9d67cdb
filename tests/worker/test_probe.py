"""Probes: the bytes that fake tensors have are those that a run measures, and seconds come without the data too."""

import pytest

from evabench.launch.server import LaunchServer
from evabench.records.measurement import MemorySettings, ProbeSettings
from evabench.records.request import Request
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.shampoo import ShampooSettings
from tests.runs import SMALL, cell

OPTIMIZERS = [
    SgdSettings(lr=0.1),
    AdamWSettings(lr=0.1),
    EvaSettings(),
    EvaFSettings(),
    EvaSSettings(),
    KfacSettings(refresh_every=2),
    FoofSettings(factorisation="cholesky"),
    ShampooSettings(),
    MfacSettings(num_gradients=4),
]
RESNET = ClassifierSettings(model="resnet20", data="fashion_mnist_subset", width=0.25, batch=4)
GPT = LanguageSettings(data="python_stdlib", context=16, layers=1, heads=2, width=16, batch=2, held_out_windows=2)


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="test") as started:
        yield started


def ask(server, measurement, optimizer, net=SMALL):
    asked = cell(optimizer=optimizer, measurement=measurement, net=net)
    reply = server.perform(Request(cell=asked, seed=0, warmup_steps=0, timeout_seconds=60.0))
    assert reply.outcome.completed, reply.outcome
    return reply.measured


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.optimizer)
def test_bytes_on_fake_tensors_are_near_those_of_a_memory_run(server, optimizer):
    probed, run = ask(server, ProbeSettings(), optimizer), ask(server, MemorySettings(), optimizer)
    assert not probed.plain_optimizer
    assert probed.peak_bytes == pytest.approx(run.peak.total, rel=0.25)


@pytest.mark.parametrize("net", [RESNET, GPT], ids=["resnet", "gpt"])
def test_they_are_near_for_other_nets_too(server, net):
    probed, run = (ask(server, kind, EvaSettings(), net) for kind in (ProbeSettings(), MemorySettings()))
    assert probed.peak_bytes == pytest.approx(run.peak.total, rel=0.01)


def test_real_steps_come_on_noise_where_the_data_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("EVABENCH_DATA", raising=False)
    cifar = ClassifierSettings(model="resnet20", data="cifar100", width=0.25, batch=4)
    with LaunchServer(layout_seed="test", folder=tmp_path) as server:
        probed = ask(server, ProbeSettings(real_steps=3), SgdSettings(lr=0.1), cifar)
    assert probed.on_noise
    assert len(probed.step_seconds) == 3


def test_where_the_data_is_here_the_set_up_reads_it(server):
    probed = ask(server, ProbeSettings(real_steps=3), EvaSettings())
    assert not probed.on_noise
    assert probed.set_up_seconds > 0
    assert probed.held_out_seconds > 0
