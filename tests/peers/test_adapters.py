"""Every adapter trains in the ordinary loop, and says what to install where its package is missing."""

import sys

import pytest
import torch
from torch import nn

from evabench.errors import SuiteError
from evabench.peers import asdl, heavyball, pytorch_optimizer, singd, torch_muon

# ASDL reads the gradients of outputs only; those of inputs are what its hooks may miss.
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")

OF_PARAMETERS = {
    "pytorch-optimizer Shampoo": (pytorch_optimizer.shampoo, {"lr": 0.03}),
    "pytorch-optimizer ScalableShampoo": (pytorch_optimizer.scalable_shampoo, {"lr": 0.03, "refresh_every": 5}),
    "pytorch-optimizer SOAP": (pytorch_optimizer.soap, {"lr": 0.01, "refresh_every": 5}),
    "heavyball SOAP": (heavyball.soap, {"lr": 0.01, "refresh_every": 5}),
    "heavyball PSGD-Kron": (heavyball.psgd_kron, {"lr": 0.01, "refresh_every": 5}),
    "heavyball Muon": (heavyball.muon, {"lr": 0.01}),
}
OF_MODEL = {
    "ASDL K-FAC": (asdl.KFAC, {"lr": 0.03, "refresh_every": 5}),
    "SINGD": (singd.singd, {"lr": 0.03, "refresh_every": 5}),
    "SINGD, IKFAC": (singd.singd, {"lr": 0.03, "kfac_like": True}),
    "torch Muon": (torch_muon.muon, {"lr": 0.01, "lr_rest": 0.01}),
}


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(4 * 16, 16),
        nn.ReLU(),
        nn.Linear(16, 3),
    )


@pytest.mark.parametrize("name", [*OF_PARAMETERS, *OF_MODEL])
def test_the_loss_falls_in_the_ordinary_loop(name):
    model = net()
    make, options = (OF_PARAMETERS | OF_MODEL)[name]
    optimizer = make(model if name in OF_MODEL else model.parameters(), **options)
    y = torch.arange(30) % 3
    x = torch.randn(30, 1, 6, 6) + y.view(-1, 1, 1, 1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert all(not torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("name", [*OF_PARAMETERS, *OF_MODEL])
def test_a_schedule_reaches_every_parameter(name):
    model = net()
    make, options = (OF_PARAMETERS | OF_MODEL)[name]
    optimizer = make(model if name in OF_MODEL else model.parameters(), **options)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = [parameter.detach().clone() for parameter in model.parameters()]
    nn.functional.cross_entropy(model(torch.randn(6, 1, 6, 6)), torch.arange(6) % 3).backward()
    optimizer.step()
    assert all(torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("module", "package", "build"),
    [
        ("asdl", "asdfghjkl", lambda: asdl.KFAC(net())),
        ("heavyball.utils", "heavyball", lambda: heavyball.soap(net().parameters())),
        ("pytorch_optimizer", "pytorch-optimizer", lambda: pytorch_optimizer.soap(net().parameters())),
        ("singd.optim.optimizer", "singd", lambda: singd.singd(net())),
    ],
)
def test_a_missing_package_is_named_with_the_way_out(module, package, build, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SuiteError, match=rf"{package}.*pip install 'evabench\[peers\]'"):
        build()


def test_the_factors_of_asdl_count_as_curvature_state():
    model = net()
    optimizer = asdl.KFAC(model)
    nn.functional.cross_entropy(model(torch.randn(6, 1, 6, 6)), torch.arange(6) % 3).backward()
    optimizer.step()
    assert {"A", "B", "A_inv", "B_inv"} < set(optimizer.state[model[0].weight])
