"""The hooks: what they catch, what they leave alone, and what they must survive."""

import copy
import gc
import pickle

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Eva
from evabench.optimizers.capture.capture import Capture
from evabench.optimizers.capture.summaries import VectorSums
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.layers.layers import find_layers
from tests.optimizers.models import backward, batch, parameters, small_net, train


def watch(model, **settings):
    layers = find_layers(model)
    return layers, Capture(layers, settings.pop("summary", VectorSums()), **settings)


def test_the_sums_are_those_of_inputs_and_output_gradients():
    model = nn.Sequential(nn.Linear(4, 3)).double()
    (layer,), capture = watch(model)
    x, y = batch()
    output_gradient = 2 * (model(x).detach() - y) / y.numel()
    backward(model, x, y)
    sums = capture.sums[layer]
    assert_close((sums.inputs, sums.output_gradients), (x.sum(0), output_gradient.sum(0)))
    assert (sums.num_rows, sums.num_examples) == (8, 8)


def test_only_the_first_samples_are_summed_with_all_their_positions():
    model = nn.Sequential(nn.Linear(4, 3))
    (layer,), capture = watch(model, statistics_batch=2)
    x = torch.rand(6, 5, 4)
    model(x).sum().backward()
    sums = capture.sums[layer]
    assert_close(sums.inputs, x[:2].sum((0, 1)))
    assert (sums.num_rows, sums.num_examples) == (10, 30)


def test_an_input_without_a_batch_is_one_row():
    model = nn.Sequential(nn.Linear(4, 3))
    (layer,), capture = watch(model, statistics_batch=2)
    model(torch.rand(4)).sum().backward()
    assert capture.sums[layer].num_rows == 1


def test_a_trailing_one_of_the_factors_is_for_layers_with_a_bias_only():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2, bias=False))
    (first, second), capture = watch(model, summary=FactorSums("reduce"))
    model(torch.rand(6, 4)).sum().backward()
    assert capture.sums[first].inputs[-1, -1] == 6
    assert capture.sums[second].inputs.shape == (3, 3)


def test_an_activation_in_place_after_the_layer_is_no_obstacle():
    gradients = []
    for inplace in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=inplace), nn.Linear(5, 3)).double()
        (layer, _), capture = watch(model)
        backward(model, *batch())
        gradients.append(capture.sums[layer].output_gradients)
    assert_close(*gradients)


def test_passes_in_eval_mode_without_gradients_or_without_backward_leave_no_trace():
    model, (x, y) = small_net(), batch()
    _, capture = watch(model)
    model(x)
    with torch.no_grad():
        model(x)
    model.eval()
    backward(model, x, y)
    assert not capture.sums


def test_a_layer_used_twice_counts_both_uses():
    linear = nn.Linear(4, 4)
    (layer,), capture = watch(nn.ModuleList([linear]))
    linear(linear(torch.rand(6, 4))).sum().backward()
    assert capture.sums[layer].num_rows == 12


def test_layers_that_share_a_weight_are_one_layer():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    (layer,), capture = watch(model)
    model(torch.rand(6, 4)).sum().backward()
    assert layer.modules == (model[0], model[1])
    assert capture.sums[layer].num_rows == 12


def test_an_input_by_keyword_is_seen():
    linear = nn.Linear(4, 3)
    (layer,), capture = watch(linear)
    linear(input=torch.rand(6, 4)).sum().backward()
    assert capture.sums[layer].num_rows == 6


def test_a_copy_of_the_model_is_not_watched_and_the_model_can_be_pickled():
    model = small_net()
    _, capture = watch(model)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        backward(other, *batch())
        assert not capture.sums
        assert_close(other(batch()[0]), model(batch()[0]))


def test_the_hooks_go_with_the_optimizer():
    model = small_net()
    optimizer = Eva(model)
    assert model[0]._forward_hooks
    del optimizer
    gc.collect()
    assert not model[0]._forward_hooks


@pytest.mark.parametrize("optimizer_class", [Eva, KFAC])
def test_the_hooks_change_no_gradient(optimizer_class):
    plain, watched = small_net(), small_net()
    optimizer = optimizer_class(watched)
    backward(plain, *batch())
    backward(watched, *batch())
    assert_close([p.grad for p in watched.parameters()], [p.grad for p in plain.parameters()], rtol=0, atol=0)
    del optimizer


def test_gradients_forgotten_with_zero_grad_take_their_statistics_along():
    model = small_net()
    eva = Eva(model)
    backward(model, *batch())
    eva.zero_grad()
    assert not eva.capture.sums


def test_a_model_trained_in_eval_mode_takes_plain_steps_and_says_so():
    model, reference = small_net().eval(), small_net()
    eva = Eva(model, lr=0.1)
    train(model, eva, range(3))
    train(reference, torch.optim.SGD(reference.parameters(), 0.1, 0.9), range(3))
    assert_close(parameters(model), parameters(reference))
    assert eva.health().layers_without_statistics == ("0", "2")


def test_a_weight_that_is_computed_is_left_to_sgd():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 5)), nn.Linear(5, 3)).double()
    eva = Eva(model)
    assert [layer.name for layer in eva.layers] == ["1"]
    train(model, eva, range(2))
