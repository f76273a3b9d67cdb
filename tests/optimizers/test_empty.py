"""Layers without numbers, batches without samples."""

import pytest
import torch
from torch import nn

from tests.optimizers.models import BUILDS, batch, small_net

each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors is a no-op:UserWarning")
@each_optimizer
@pytest.mark.parametrize("shape", [(0, 4), (4, 0)], ids=["no inputs", "no outputs"])
def test_an_empty_layer_is_left_alone_and_the_others_train(build, shape):
    model = nn.ModuleDict({"net": small_net(), "empty": nn.Linear(*shape).double()})
    optimizer = build(model)
    for step in range(3):
        x, y = batch(seed=step)
        optimizer.zero_grad()
        nothing = model["empty"](x[:, : shape[0]]).sum()
        (nothing + nn.functional.mse_loss(model["net"](x), y)).backward()
        optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert {"net.0", "net.2"}.isdisjoint(optimizer.health().layers_without_statistics)


@each_optimizer
def test_a_batch_without_samples_does_no_harm(build):
    model = small_net()
    optimizer = build(model)
    for num_samples in (8, 0, 8):
        x, _ = batch(num_samples)
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert optimizer.health().layers_without_statistics == ()


@each_optimizer
def test_samples_of_zeros_do_no_harm(build):
    model = small_net(torch.float32)
    optimizer = build(model)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.zeros(6, 4)).square().mean().backward()
        optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
