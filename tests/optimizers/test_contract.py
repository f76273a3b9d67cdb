"""What every optimizer owes its user, whatever its mathematics."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers.shell.health import health
from tests.optimizers.models import (
    BUILDS,
    assert_unchanged,
    backward,
    batch,
    parameters,
    small_net,
    snapshot,
    train,
)

each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
# M-FAC has a curvature for all parameters.
each_with_plain_parameters = pytest.mark.parametrize(
    "build",
    [build for name, build in BUILDS.items() if name != "mfac"],
    ids=[name for name in BUILDS if name != "mfac"],
)


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
def test_gradients_may_be_zeroed_between_the_forward_and_the_backward_pass(build):
    usual, late = small_net(), small_net()
    train(usual, build(usual), range(5))
    optimizer = build(late)
    for step in range(5):
        x, y = batch(seed=step)
        loss = nn.functional.mse_loss(late(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert_close(parameters(late), parameters(usual), rtol=0, atol=0)


@each_optimizer
@pytest.mark.parametrize("reach_backward", [True, False])
def test_a_batch_that_is_given_up_leaves_no_trace(build, reach_backward):
    plain, disturbed = small_net(), small_net()
    train(plain, build(plain), range(4))
    optimizer = build(disturbed)
    for step in range(4):
        x, y = batch(seed=step)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(disturbed(x * torch.nan), y)
        if reach_backward:
            loss.backward()
        optimizer.zero_grad()
        backward(disturbed, x, y)
        optimizer.step()
    assert_close(parameters(disturbed), parameters(plain), rtol=0, atol=0)


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


@each_with_plain_parameters
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
def test_a_loss_scaler_changes_nothing(build):
    plain, scaled = small_net(torch.float32), small_net(torch.float32)
    train(plain, build(plain), range(4))
    optimizer, scaler = build(scaled), torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for step in range(4):
        x, y = batch(seed=step, dtype=torch.float32)
        optimizer.zero_grad()
        scaler.scale(nn.functional.mse_loss(scaled(x), y)).backward()
        scaler.step(optimizer)
        scaler.update()
    assert_close(parameters(scaled), parameters(plain), rtol=1e-4, atol=1e-6)


@each_optimizer
def test_a_closure_is_called_once_with_gradients_and_its_loss_comes_back(build):
    plain, closed = small_net(), small_net()
    train(plain, build(plain), range(4))
    optimizer, losses = build(closed), []
    for step in range(4):
        x, y = batch(seed=step)

        def closure(x=x, y=y):
            loss = nn.functional.mse_loss(closed(x), y)
            optimizer.zero_grad()  # between the passes, as Lightning does
            loss.backward()
            losses.append(loss)
            return loss

        assert optimizer.step(closure) is losses[step]
    assert len(losses) == 4
    assert_close(parameters(closed), parameters(plain), rtol=0, atol=0)


@each_optimizer
def test_a_sparse_gradient_is_refused_by_name_and_nothing_moves(build):
    model = nn.ModuleDict({"tokens": nn.Embedding(5, 4, sparse=True).double(), "net": small_net()})
    optimizer = build(model)
    backward(model["net"], model["tokens"](torch.tensor([1, 2])), torch.zeros(2, 3, dtype=torch.float64))
    before = snapshot(model, optimizer)
    with pytest.raises(ValueError, match=r"tokens\.weight has a gradient of layout torch\.sparse_coo"):
        optimizer.step()
    assert_unchanged(before, model, optimizer)


@each_optimizer
def test_a_step_without_any_gradient_changes_nothing(build):
    model, undisturbed = small_net(), small_net()
    optimizer, other = build(model), build(undisturbed)
    train(model, optimizer, range(2))
    optimizer.zero_grad()
    model(batch()[0])
    before = snapshot(model, optimizer)
    assert optimizer.step() is None
    assert_unchanged(before, model, optimizer)
    train(model, optimizer, range(2, 5))
    train(undisturbed, other, range(5))
    assert_close(parameters(model), parameters(undisturbed), rtol=0, atol=0)


@each_optimizer
def test_a_learning_rate_of_zero_moves_nothing_and_learns_the_statistics(build):
    model = small_net()
    optimizer = build(model)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = parameters(model)
    train(model, optimizer, range(3))
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert optimizer.health().layers_without_statistics == ()


@each_optimizer
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "2.bias"])
def test_a_gradient_that_is_not_finite_skips_the_whole_step_and_is_counted(build, name, value):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(2))
    optimizer.zero_grad()
    backward(model, *batch(seed=9))
    model.get_parameter(name).grad.view(-1)[1] = value
    before = copy.deepcopy((parameters(model), {key: dict(state) for key, state in optimizer.state.items()}))
    optimizer.step()
    after = (parameters(model), {key: dict(state) for key, state in optimizer.state.items()})
    assert_close(after[0], before[0], rtol=0, atol=0)
    for old, new in zip(before[1].values(), after[1].values(), strict=True):
        assert_close(new, old, rtol=0, atol=0)
    assert health(optimizer).skipped_steps == {name.rpartition(".")[0]: 1}


@each_optimizer
def test_a_first_step_that_is_skipped_leaves_no_trace(build):
    skipped, reference = small_net(), small_net()
    optimizer, other = build(skipped), build(reference)
    period = optimizer.param_groups[0].get("refresh_every", 1)  # so that the next step is a refresh, too
    for _ in range(period):
        optimizer.zero_grad()
        backward(skipped, *batch(seed=7))
        skipped[0].weight.grad[0, 0] = torch.nan
        optimizer.step()
    assert optimizer.health().layers_without_statistics == ("0", "2")
    train(skipped, optimizer, range(3))
    train(reference, other, range(3))
    assert_close(parameters(skipped), parameters(reference), rtol=0, atol=0)


@each_optimizer
def test_inputs_that_are_not_finite_skip_the_step(build):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(2))
    optimizer.zero_grad()
    x, y = batch()
    x[0, 0] = torch.nan
    backward(model, x, y)
    before = parameters(model)
    optimizer.step()
    assert_close(parameters(model), before, rtol=0, atol=0)
    train(model, optimizer, range(2, 4))
    assert all(parameter.isfinite().all() for parameter in model.parameters())


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
    preconditioned = [parameter for layer in optimizer.layers for parameter in layer.parameters]
    before = [parameter.detach().clone() for parameter in preconditioned]
    backward(model, *batch())
    optimizer.step()
    for parameter, old in zip(preconditioned, before, strict=True):
        assert_close(parameter.detach(), old - optimizer.param_groups[0]["lr"] * parameter.grad)
