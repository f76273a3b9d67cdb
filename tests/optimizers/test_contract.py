"""What every optimizer owes its user, whatever its mathematics."""

import copy
import io
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Eva, Shampoo
from tests.optimizers.models import BUILDS, backward, batch, directions, parameters, small_net, train

each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
each_class = pytest.mark.parametrize("optimizer_class", [Eva, KFAC, Shampoo])


@each_optimizer
def test_repeating_the_batch_changes_nothing(build):
    moved = []
    for repeats in (1, 3):
        model = small_net()
        optimizer = build(model)
        for step in range(3):
            x, y = batch(seed=step)
            optimizer.zero_grad()
            backward(model, x.repeat(repeats, 1), y.repeat(repeats, 1))
            optimizer.step()
        moved.append(parameters(model))
    assert_close(moved[0], moved[1])


@each_optimizer
def test_a_batch_in_two_backward_passes_equals_the_batch_in_one(build):
    x, y = batch()
    whole, halves = small_net(), small_net()
    optimizers = build(whole), build(halves)
    backward(whole, x, y)
    for part in (slice(0, 4), slice(4, 8)):
        (nn.functional.mse_loss(halves(x[part]), y[part]) / 2).backward()
    for optimizer in optimizers:
        optimizer.step()
    assert_close(parameters(whole), parameters(halves))


@each_optimizer
def test_zero_gradients_neither_move_nor_crash(build):
    model = small_net()
    optimizer = build(model)
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.0
    before = parameters(model)
    for _ in range(3):
        optimizer.zero_grad()
        (0 * model(batch()[0]).sum()).backward()
        optimizer.step()
    assert_close(parameters(model), before, rtol=0, atol=0)


@each_optimizer
def test_dead_units_do_no_harm_in_float32(build):
    model = small_net(torch.float32)
    with torch.no_grad():
        model[2].weight[:, :3] = 0  # three units whose output gradient is zero
    optimizer = build(model)
    for step in range(3):
        optimizer.zero_grad()
        backward(model, *batch(seed=step, dtype=torch.float32))
        optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@each_optimizer
def test_parameters_without_curvature_take_the_step_of_sgd(build):
    torch.manual_seed(0)
    model = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 3)).double()
    optimizer = build(model)
    group = optimizer.param_groups[0]
    norm = model[0]
    reference = copy.deepcopy(norm)
    sgd = torch.optim.SGD(reference.parameters(), group["lr"], group["momentum"], weight_decay=group["weight_decay"])
    for step in range(3):
        optimizer.zero_grad()
        backward(model, *batch(seed=step))
        for mine, other in zip(norm.parameters(), reference.parameters(), strict=True):
            other.grad = mine.grad.clone()
        optimizer.step()
        sgd.step()
    assert_close(parameters(norm), parameters(reference))


@each_optimizer
def test_frozen_and_unused_parameters_stay_untouched(build):
    model = nn.ModuleDict({"used": small_net(), "unused": nn.Linear(4, 4).double()})
    model["used"][0].weight.requires_grad_(False)
    optimizer = build(model)
    still = [*parameters(model["unused"]), model["used"][0].weight.detach().clone()]
    train(model["used"], optimizer, range(3))
    assert_close([*parameters(model["unused"]), model["used"][0].weight.detach()], still, rtol=0, atol=0)
    assert optimizer.health().layers_without_statistics == ("unused",)


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


@each_class
def test_a_model_without_a_layer_to_precondition_is_refused_by_name(optimizer_class):
    with pytest.raises(ValueError, match="LayerNorm has no layer to precondition"):
        optimizer_class(nn.LayerNorm(4))


@each_class
@pytest.mark.parametrize(("name", "value"), [("lr", -1.0), ("momentum", 1.0), ("weight_decay", -0.1)])
def test_a_bad_value_is_refused_by_the_name_of_its_setting(optimizer_class, name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        optimizer_class(small_net(), **{name: value})


@pytest.mark.parametrize(
    ("optimizer_class", "name"),
    [(Eva, "clip"), (KFAC, "damping_scale"), (KFAC, "output_gradient"), (Shampoo, "grafting")],
)
def test_a_word_that_is_no_choice_is_refused_with_the_choices(optimizer_class, name):
    with pytest.raises(ValueError, match=f'{name} must be one of ".*", got "nonsense"'):
        optimizer_class(small_net(), **{name: "nonsense"})


@each_optimizer
def test_a_closure_is_evaluated_with_gradients_and_its_loss_returned(build):
    model = small_net()
    optimizer = build(model)
    before = parameters(model)
    loss = optimizer.step(lambda: backward(model, *batch()))
    assert loss > 0
    assert not torch.equal(model[0].weight, before[0])


@each_optimizer
def test_a_schedule_may_set_the_learning_rate(build):
    model = small_net()
    optimizer = build(model)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0 if step else 1.0)
    train(model, optimizer, range(1))
    scheduler.step()
    before = parameters(model)
    train(model, optimizer, range(1, 2))
    assert_close(parameters(model), before, rtol=0, atol=0)


def autoencoder(widths=(64, 40, 20, 8)):
    torch.manual_seed(0)
    widths = (*widths, *reversed(widths[:-1]))
    layers = [module for pair in pairwise(widths) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


@each_optimizer
def test_an_autoencoder_descends_in_float32(build):
    model = autoencoder()
    x = torch.rand(50, 3) @ torch.rand(3, 64) / 3
    optimizer = build(model)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        losses.append(backward(model, x, x))
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]


@each_optimizer
def test_the_directions_are_what_a_step_without_momentum_follows(build):
    model = small_net()
    optimizer = build(model)
    for group in optimizer.param_groups:
        group["momentum"], group["weight_decay"] = 0.0, 0.0
    before = [layer.weight.detach().clone() for layer in optimizer.layers]
    backward(model, *batch())
    optimizer.step()
    for layer, weight, P in zip(optimizer.layers, before, directions(optimizer), strict=True):
        assert_close(layer.weight.detach(), weight - optimizer.param_groups[0]["lr"] * P[:, : weight.shape[1]])
