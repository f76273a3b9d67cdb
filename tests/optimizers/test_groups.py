"""Parameter groups of Eva and Eva-f."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import Eva, EvaF
from tests.optimizers.conv_net import ConvNet, train_conv
from tests.optimizers.models import parameters

each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF])


@each_class
def test_groups_with_the_same_settings_change_nothing(optimizer_class):
    one, three = ConvNet().double(), ConvNet().double()
    groups = [{"params": three.second.parameters()}, {"params": [three.first.weight], "damping": 0.03}]
    optimizers = optimizer_class(one), optimizer_class(three, groups=groups)
    assert [len(group["params"]) for group in optimizers[1].param_groups] == [1, 1, 8]
    train_conv(one, optimizers[0])
    train_conv(three, optimizers[1])
    assert_close(parameters(three), parameters(one))


@each_class
def test_a_group_moves_with_its_own_learning_rate_and_damping(optimizer_class):
    model = ConvNet().double()
    head = {"params": model.head.parameters(), "lr": 0.5, "damping": 1.0, "momentum": 0.0}
    optimizer = optimizer_class(model, lr=0.01, damping=0.1, momentum=0.0, clip="none", groups=[head])
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    train_conv(model, optimizer, 1)
    for name, parameter in model.named_parameters():
        lr = 0.5 if name.startswith("head") else 0.01
        assert_close(parameter.detach(), before[name] - lr * parameter.grad)
    lone = ConvNet().double()
    train_conv(lone, optimizer_class(lone, lr=0.5, damping=1.0, momentum=0.0, clip="none"), 1)
    assert_close(model.head.weight, lone.head.weight)


@each_class
@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ({"params": [nn.Parameter(torch.ones(2, 3))]}, r"group 0: a parameter of shape \(2, 3\) does not belong"),
        ({"damping": -1.0}, "group 0: damping must be > 0, got -1.0"),
        ({"clip": "none"}, "group 0: clip cannot differ between groups"),
    ],
)
def test_a_bad_group_is_refused_with_the_reason(optimizer_class, group, problem):
    model = ConvNet()
    group = {"params": model.head.parameters()} | group
    with pytest.raises(ValueError, match=problem):
        optimizer_class(model, groups=[group])


@each_class
def test_parameters_in_place_of_groups_are_refused_with_an_example(optimizer_class):
    model = ConvNet()
    with pytest.raises(ValueError, match=r'group 0 must be a mapping such as \{"params": .*\}, got a Parameter'):
        optimizer_class(model, groups=model.head.parameters())
