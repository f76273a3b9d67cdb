"""An optimizer that was saved, copied or pickled goes on as if nothing had happened."""

import copy
import io
import pickle

import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from tests.optimizers.models import BUILDS, backward, batch, parameters, small_net, train

each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())


@each_optimizer
def test_a_state_dict_continues_bit_for_bit(build):
    straight = small_net()
    train(straight, (optimizer := build(straight)), range(6))
    first = small_net()
    train(first, (before := build(first)), range(3))
    second = copy.deepcopy(first)
    after = build(second)
    file = io.BytesIO()
    torch.save(before.state_dict(), file)
    file.seek(0)
    after.load_state_dict(torch.load(file, weights_only=True))
    train(second, after, range(3, 6))
    assert_close(parameters(second), parameters(straight), rtol=0, atol=0)
    assert_close(after.state_dict()["state"], optimizer.state_dict()["state"], rtol=0, atol=0)


@each_optimizer
def test_a_model_in_half_precision_continues_from_a_state_dict_bit_for_bit(build):
    straight = small_net(torch.bfloat16)
    optimizer = build(straight)
    train(straight, optimizer, range(3))
    kept = [value for state in optimizer.state.values() for name, value in state.items() if name != "momentum_buffer"]
    assert not any(value.dtype == torch.bfloat16 for value in kept)
    second = copy.deepcopy(straight)
    other = build(second)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(straight, optimizer, range(3, 6))
    train(second, other, range(3, 6))
    assert_close(parameters(second), parameters(straight), rtol=0, atol=0)
    assert all(parameter.isfinite().all() for parameter in straight.parameters())


@pytest.mark.parametrize(
    ("optimizer_class", "saved"),
    [
        (Eva, {"statistics_batch": 2, "output_gradient": "per_example", "clip": "rescale"}),
        (EvaF, {"statistics_batch": 2, "damping": 0.5}),
        (EvaS, {"beta2": 0.9, "nesterov": "in_place"}),
        (FOOF, {"statistics_batch": 2, "weight_sharing": "expand"}),
        (KFAC, {"statistics_batch": 2, "weight_sharing": "expand", "output_gradient": "batch_mean"}),
        (MFAC, {"num_gradients": 3}),
        (Shampoo, {"block_size": 3, "root_method": "newton"}),
    ],
)
def test_a_state_dict_brings_its_settings_along(optimizer_class, saved):
    straight = small_net()
    optimizer = optimizer_class(straight, **saved)
    train_on_sequences(straight, optimizer, range(3))
    second = copy.deepcopy(straight)
    other = optimizer_class(second)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train_on_sequences(straight, optimizer, range(3, 6))
    train_on_sequences(second, other, range(3, 6))
    assert_close(parameters(second), parameters(straight), rtol=0, atol=0)


def train_on_sequences(model, optimizer, steps):
    for step in steps:
        x, y = batch(seed=step)
        optimizer.zero_grad()
        backward(model, x.view(4, 2, -1), y.view(4, 2, -1))
        optimizer.step()


@each_optimizer
def test_a_deep_copy_of_model_and_optimizer_trains_on_alone(build):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(3))
    second, other = copy.deepcopy((model, optimizer))
    before = parameters(model)
    train(second, other, range(3, 5))
    assert_close(parameters(model), before, rtol=0, atol=0)
    train(model, optimizer, range(3, 5))
    assert_close(parameters(second), parameters(model), rtol=0, atol=0)


@each_optimizer
def test_model_and_optimizer_survive_pickling(build):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(3))
    second, other = pickle.loads(pickle.dumps((model, optimizer)))
    train(second, other, range(3, 5))
    train(model, optimizer, range(3, 5))
    assert_close(parameters(second), parameters(model), rtol=0, atol=0)
