"""Shampoo against the dense fractional power."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import Shampoo
from evabench.optimizers.shampoo.blocks import partition
from evabench.optimizers.shell.coverage import coverage
from tests import dense
from tests.optimizers.models import backward, batch, parameters, small_net, train

EPSILON = 1e-6


def dense_direction(G, history, order=None, beta2=1.0):
    """Return G with the fractional power of the dense factor of each axis, of all gradients so far."""
    order = order or 2 * G.dim()
    weight = 1 if beta2 == 1 else 1 - beta2
    P = G
    for axis in range(G.dim()):
        F = torch.zeros(G.shape[axis], G.shape[axis], dtype=G.dtype)
        for each in history:
            rows = each.movedim(axis, 0).flatten(1)
            F = beta2 * F + weight * rows @ rows.T
        P = torch.tensordot(dense.power(F, -1 / order, EPSILON), P.movedim(axis, 0), dims=1).movedim(0, axis)
    return P


@pytest.mark.parametrize("beta2", [1.0, 0.9])
@pytest.mark.parametrize("root_order", [None, 2, 3])
def test_the_directions_of_a_matrix_equal_the_dense_fractional_powers(beta2, root_order):
    model = small_net()
    shampoo = Shampoo(
        model, lr=0.01, beta2=beta2, epsilon=EPSILON, grafting="none", root_order=root_order, refresh_every=1
    )
    history = []
    for step in range(3):
        shampoo.zero_grad()
        backward(model, *batch(seed=step))
        history.append(model[0].weight.grad.clone())
        bias_gradient = model[0].bias.grad.clone()
        shampoo.step()
        assert_close(model[0].weight.grad, dense_direction(history[-1], history, root_order, beta2))
        assert_close(model[0].bias.grad, bias_gradient, rtol=0, atol=0)


@pytest.mark.parametrize(("merge_up_to", "shape"), [(1, (4, 3, 2, 5)), (10, (4, 3, 10)), (30, (4, 30))])
def test_a_kernel_has_a_factor_for_each_axis_that_is_left_after_merging(merge_up_to, shape):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, (2, 5)).double()
    shampoo = Shampoo(conv, epsilon=EPSILON, grafting="none", merge_up_to=merge_up_to)
    conv(torch.rand(2, 3, 4, 6, dtype=torch.float64)).square().mean().backward()
    G = conv.weight.grad.reshape(shape).clone()
    shampoo.step()
    assert_close(conv.weight.grad.reshape(shape), dense_direction(G, [G]))


def test_a_kernel_in_channels_last_takes_the_same_step():
    moved = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        conv = nn.Conv2d(3, 4, 3).double().to(memory_format=layout)
        shampoo = Shampoo(conv)
        for _ in range(2):
            shampoo.zero_grad()
            conv(torch.rand(2, 3, 5, 5, dtype=torch.float64)).square().mean().backward()
            shampoo.step()
        moved.append(parameters(conv))
    assert_close(moved[0], moved[1])


def test_every_block_is_preconditioned_by_its_own_gradient():
    model = small_net()
    shampoo = Shampoo(model, epsilon=EPSILON, grafting="none", block_size=2)
    backward(model, *batch())
    G = model[0].weight.grad.clone()
    shampoo.step()
    for rows, columns in partition((5, 4), merge_up_to=1, block_size=2).blocks:
        block = G[rows, columns]
        assert_close(model[0].weight.grad[rows, columns], dense_direction(block, [block]))


@pytest.mark.parametrize("grafting", ["sgd", "adagrad", "rmsprop"])
def test_grafting_gives_each_weight_the_length_of_another_step(grafting):
    beta2 = 0.9
    model = small_net()
    shampoo = Shampoo(model, lr=0.01, beta2=beta2, epsilon=EPSILON, grafting=grafting, refresh_every=1)
    history = []
    for step in range(3):
        shampoo.zero_grad()
        backward(model, *batch(seed=step))
        G = model[0].weight.grad.clone()
        history.append(G)
        squares = torch.zeros_like(G)
        for each in history:
            squares = squares + each**2 if grafting == "adagrad" else beta2 * squares + (1 - beta2) * each**2
        D = G if grafting == "sgd" else G / (squares.sqrt() + 1e-10)
        P = dense_direction(G, history, beta2=beta2)
        shampoo.step()
        assert_close(model[0].weight.grad, P * D.norm() / P.norm())


def test_grafting_onto_rmsprop_needs_a_decay():
    with pytest.raises(ValueError, match=r'grafting = "rmsprop" needs beta2 < 1, got 1'):
        Shampoo(small_net(), grafting="rmsprop")


def test_newton_takes_nearly_the_step_of_eigh():
    moved = []
    for root_method in ("eigh", "newton"):
        model = small_net()
        train(model, Shampoo(model, epsilon=1e-9, root_method=root_method, lr=0.01), range(5))
        moved.append(parameters(model))
    assert_close(moved[0], moved[1], rtol=1e-3, atol=1e-3)


def test_factors_grow_at_their_steps_and_roots_only_at_a_refresh():
    model = small_net()
    shampoo = Shampoo(model, statistics_every=2, refresh_every=4)
    grown, refreshed = [], []
    before = None
    for step in range(5):
        train(model, shampoo, range(step, step + 1))
        state = shampoo.state[model[0].weight]
        after = state["factors"].clone(), state["roots"].clone()
        if before is not None:
            grown.append(not torch.equal(after[0], before[0]))
            refreshed.append(not torch.equal(after[1], before[1]))
        before = after
    assert grown == [False, True, False, True]
    assert refreshed == [False, False, False, True]


@pytest.mark.parametrize("root_method", ["eigh", "newton"])
def test_a_root_that_cannot_be_computed_stays_as_it_was_and_is_counted(root_method):
    model = small_net()
    shampoo = Shampoo(model, root_method=root_method, refresh_every=1)
    train(model, shampoo, range(1))
    state = shampoo.state[model[0].weight]
    L, _ = shampoo.partitions[model[0].weight].factors(state["factors"])[0]
    L.fill_(torch.nan)
    L_root, R_root = shampoo.partitions[model[0].weight].factors(state["roots"])[0]
    before = L_root.clone(), R_root.clone()
    train(model, shampoo, range(1, 2))
    assert torch.equal(L_root, before[0])
    assert not torch.equal(R_root, before[1])
    assert shampoo.health().num_failures == 1


def test_a_refresh_in_a_skipped_step_is_counted_as_stale():
    model = small_net()
    shampoo = Shampoo(model, refresh_every=1)
    train(model, shampoo, range(2))
    assert shampoo.health().num_stale_refreshes == 0
    shampoo.zero_grad()
    backward(model, *batch())
    model[0].weight.grad[0, 0] = torch.nan
    shampoo.step()
    assert shampoo.health().num_stale_refreshes == 2


@pytest.mark.parametrize(("root_method", "num_waits"), [("newton", 0), ("eigh", 2)])
def test_the_refreshes_that_wait_for_the_device_are_counted(root_method, num_waits):
    model = small_net()
    shampoo = Shampoo(model, root_method=root_method, refresh_every=3)
    train(model, shampoo, range(4))
    assert shampoo.health().num_waiting_refreshes == num_waits


def test_a_refresh_without_statistics_of_its_own_step_is_refused():
    with pytest.raises(ValueError, match="refresh_every must be a multiple of statistics_every, got 5 and 2"):
        Shampoo(small_net(), statistics_every=2, refresh_every=5)


def test_a_direction_that_overflows_skips_the_step_and_is_counted():
    model = small_net()
    shampoo = Shampoo(model, refresh_every=10)
    train(model, shampoo, range(1))
    shampoo.state[model[0].weight]["roots"].fill_(1e300)
    before = parameters(model)
    train(model, shampoo, range(1, 2))
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert shampoo.health().num_failures == 1


def test_a_weight_whose_first_gradient_comes_between_refreshes_takes_the_plain_one_until_the_next():
    model = nn.ModuleDict({"early": small_net(), "late": small_net()})
    shampoo = Shampoo(model, statistics_every=2, refresh_every=2)
    train(model["early"], shampoo, range(1))
    shampoo.zero_grad()
    backward(model["late"], *batch())
    G = model["late"][0].weight.grad.clone()
    shampoo.step()
    assert_close(model["late"][0].weight.grad, G)
    train(model["late"], shampoo, range(2))
    assert shampoo.health().layers_without_statistics == ()


def test_shampoo_covers_every_parameter_with_two_axes():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    shampoo = Shampoo(model)
    model(torch.tensor([0, 1])).square().mean().backward()
    shampoo.step()
    treatments = {(each.kind, each.treatment) for each in coverage(shampoo).layers}
    assert treatments == {("Embedding", "preconditioned"), ("Linear", "preconditioned"), ("Linear", "plain gradient")}
