"""Eva and Eva-f under a loss scaler of mixed precision."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Eva, EvaF
from tests.optimizers.conv_net import ConvNet, conv_loss, train_conv
from tests.optimizers.models import parameters

each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF])


def scaled_training(optimizer_class, *, unscale, clip_to=None, scale=2.0**10, **settings):
    model = ConvNet()
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, enabled=scale is not None)
    if unscale and optimizer_class is Eva and scale is not None:
        settings["grad_scaler"] = scaler
    optimizer = optimizer_class(model, **settings)
    for seed in range(3):
        optimizer.zero_grad()
        scaler.scale(conv_loss(model, seed, torch.float32)).backward()
        if unscale:
            scaler.unscale_(optimizer)
        if clip_to is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_to)
        scaler.step(optimizer)
        scaler.update()
    return model, optimizer


@each_class
@pytest.mark.parametrize("unscale", [False, True])
@pytest.mark.parametrize("clip", ["kl_clip", "kl_normalization", "rescale", "none"])
def test_a_loss_scaler_changes_nothing(optimizer_class, unscale, clip):
    settings = {"clip": clip, "lr": 0.01}
    scaled, _ = scaled_training(optimizer_class, unscale=unscale, **settings)
    plain = ConvNet()
    train_conv(
        plain, optimizer_class(plain, **settings), loss=lambda model, seed: conv_loss(model, seed, torch.float32)
    )
    assert_close(parameters(scaled), parameters(plain), rtol=1e-4, atol=1e-6)


@each_class
def test_the_statistics_ignore_that_gradients_were_clipped(optimizer_class):
    vectors = []
    for clip_to in (None, 1e-3):
        _, optimizer = scaled_training(optimizer_class, unscale=True, clip_to=clip_to, lr=1e-9)
        vectors.append(
            [{k: v for k, v in optimizer.state[each.weight].items() if k in "ab"} for each in optimizer.layers]
        )
    assert_close(vectors[0], vectors[1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("optimizer_class", [Eva, KFAC])
def test_a_scaler_that_is_not_enabled_changes_nothing(optimizer_class):
    plain, disabled = ConvNet(), ConvNet()
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    optimizer = optimizer_class(disabled, grad_scaler=scaler)
    for seed in range(3):
        optimizer.zero_grad()
        scaler.scale(conv_loss(disabled, seed, torch.float32)).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    train_conv(plain, optimizer_class(plain), loss=lambda model, seed: conv_loss(model, seed, torch.float32))
    assert_close(parameters(disabled), parameters(plain), rtol=0, atol=0)


def test_gradients_unscaled_by_a_scaler_that_eva_does_not_know_are_refused():
    model = ConvNet()
    scaler, eva = torch.amp.GradScaler("cpu"), Eva(model)
    scaler.scale(conv_loss(model, dtype=torch.float32)).backward()
    scaler.unscale_(eva)
    before = parameters(model)
    with pytest.raises(RuntimeError, match=r"Make the optimizer with Eva\(model, grad_scaler=scaler\)"):
        scaler.step(eva)
    assert_close(parameters(model), before, rtol=0, atol=0)


@each_class
def test_a_scale_that_overflows_skips_the_step_and_is_lowered(optimizer_class):
    model = ConvNet()
    scaler, optimizer = torch.amp.GradScaler("cpu", init_scale=2.0**127), optimizer_class(model)
    before = parameters(model)
    (scaler.scale(conv_loss(model, dtype=torch.float32)) * 1e10).backward()
    scaler.step(optimizer)
    scaler.update()
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert scaler.get_scale() == 2.0**126
