import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers.layers.layers import find_layers


def test_the_bias_is_the_last_column_and_goes_back_where_it_came_from():
    linear = nn.Linear(3, 2)
    (layer,) = find_layers(linear)
    linear(torch.rand(5, 3)).sum().backward()
    G = layer.gradient()
    assert_close(G, torch.cat((linear.weight.grad, linear.bias.grad[:, None]), dim=1))
    layer.set_gradient_(2 * G)
    assert_close(layer.gradient(), 2 * G)


def test_a_frozen_bias_is_no_column():
    linear = nn.Linear(3, 2)
    linear.bias.requires_grad_(False)
    (layer,) = find_layers(linear)
    linear(torch.rand(5, 3)).sum().backward()
    assert layer.gradient().shape == (2, 3)


def test_layers_are_named_as_in_the_model_and_subclasses_count():
    class Special(nn.Linear):
        pass

    model = nn.ModuleDict({"encoder": nn.Sequential(Special(3, 2), nn.ReLU()), "head": nn.Linear(2, 1)})
    assert [layer.name for layer in find_layers(model)] == ["encoder.0", "head"]


def test_a_model_whose_layers_are_all_frozen_is_refused():
    model = nn.Sequential(nn.Linear(3, 2)).requires_grad_(False)
    with pytest.raises(ValueError, match="trainable weight"):
        find_layers(model)
