"""M-FAC against the dense inverse of the whole model's Fisher matrix."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import MFAC
from evabench.optimizers.shell.coverage import coverage
from tests import dense
from tests.optimizers.models import backward, batch, parameters, small_net, train

DAMPING = 0.1


def flat_gradient(model):
    return torch.cat([parameter.grad.reshape(-1) for parameter in model.parameters()])


def test_the_direction_equals_the_dense_solve_while_the_window_fills_and_after():
    model = small_net()
    mfac = MFAC(model, lr=0.01, damping=DAMPING, num_gradients=3)
    window = []
    for step in range(7):
        mfac.zero_grad()
        backward(model, *batch(seed=step))
        window = [*window, flat_gradient(model).clone()][-3:]
        fisher = sum(torch.outer(g, g) for g in window) / 3
        mfac.step()
        assert_close(flat_gradient(model), dense.solve(fisher, window[-1], DAMPING))


def test_a_part_of_the_model_that_a_backward_pass_did_not_reach_has_a_gradient_of_zero():
    model = nn.ModuleDict({"left": small_net(), "right": small_net()})
    mfac = MFAC(model, lr=0.01, damping=DAMPING, num_gradients=2)
    train(model["left"], mfac, range(1))
    left = flat_gradient(model["left"]).numel()
    window = []
    for part in ("left", "right", "right"):
        mfac.zero_grad()
        backward(model[part], *batch(seed=1))
        g, other = flat_gradient(model[part]).clone(), torch.zeros(left, dtype=torch.float64)
        window = [*window, torch.cat((g, other) if part == "left" else (other, g))][-2:]
        mfac.step()
    fisher = sum(torch.outer(g, g) for g in window) / 2
    assert_close(flat_gradient(model["right"]), dense.solve(fisher, window[-1], DAMPING)[left:])


def test_a_kernel_in_channels_last_takes_the_same_step():
    moved = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        conv = nn.Conv2d(3, 4, 3).double().to(memory_format=layout)
        mfac = MFAC(conv, damping=DAMPING)
        for _ in range(2):
            mfac.zero_grad()
            conv(torch.rand(2, 3, 5, 5, dtype=torch.float64)).square().mean().backward()
            mfac.step()
        moved.append(parameters(conv))
    assert_close(moved[0], moved[1])


def test_the_state_beyond_the_momentum_is_the_window_its_inner_products_and_a_position():
    model = small_net()
    mfac = MFAC(model, num_gradients=4)
    train(model, mfac, range(1))
    curvature = [value for state in mfac.state.values() for name, value in state.items() if name != "momentum_buffer"]
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    assert sum(value.numel() for value in curvature) == 4 * num_parameters + 4 * 4 + 1


def test_all_trained_parameters_are_covered_and_frozen_ones_named():
    model = nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 3)).double()
    model[2].weight.requires_grad_(False)
    mfac = MFAC(model)
    train(model, mfac, range(1))
    covered = coverage(mfac)
    assert covered.share == 1.0
    assert [each.name for each in covered.layers if each.treatment == "frozen"] == ["2"]


def test_a_parameter_that_is_set_free_later_joins_the_curvature_with_gradients_of_zero_before():
    model = small_net()
    model[0].requires_grad_(False)
    mfac = MFAC(model, lr=0.01, damping=DAMPING, num_gradients=3)
    window = []
    for step in range(5):
        if step == 2:
            model[0].requires_grad_(True)
        mfac.zero_grad()
        backward(model, *batch(seed=step))
        g = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in model.parameters()])
        window = [*window, g][-3:]
        fisher = sum(torch.outer(g, g) for g in window) / 3
        mfac.step()
        if step >= 2:
            assert_close(flat_gradient(model), dense.solve(fisher, window[-1], DAMPING))


def test_coverage_says_what_is_frozen_and_what_is_trained_now():
    model = small_net()
    model[0].requires_grad_(False)
    mfac = MFAC(model)
    train(model, mfac, range(1))
    assert {each.name: each.treatment for each in coverage(mfac).layers} == {"0": "frozen", "2": "preconditioned"}
    model[0].requires_grad_(True)
    assert coverage(mfac).share < 1  # nothing has been seen of it
    train(model, mfac, range(1, 2))
    assert {each.name: each.treatment for each in coverage(mfac).layers} == {
        "0": "preconditioned",
        "2": "preconditioned",
    }
    assert coverage(mfac).share == 1
    model[2].weight.requires_grad_(False)
    frozen = [each for each in coverage(mfac).layers if each.treatment == "frozen"]
    assert [(each.name, each.num_parameters) for each in frozen] == [("2", 15)]


def test_a_solve_that_fails_skips_the_step_and_is_counted():
    model = small_net()
    mfac = MFAC(model)
    train(model, mfac, range(1))
    mfac.state[model[0].weight]["inner_products"].fill_(torch.nan)
    before = parameters(model)
    train(model, mfac, range(1, 2))
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert mfac.health().num_failures == 1


def test_a_direction_beyond_half_precision_skips_the_step_and_is_counted_as_a_failure():
    model = small_net(torch.float16)
    mfac = MFAC(model, damping=1e-14)
    for value, num_failures in ((1e-6, 1), (1.0, 1)):
        before = parameters(model)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, value)
        mfac.step()
        moved = any((new != old).any() for new, old in zip(parameters(model), before, strict=True))
        assert moved == (value == 1.0)
        assert mfac.health().num_failures == num_failures
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert not mfac.health().skipped_steps


def test_a_damping_of_a_group_is_refused_because_the_curvature_is_one():
    model = small_net()
    with pytest.raises(
        ValueError, match=r"group 0: damping cannot differ between groups\. .* lr, momentum, weight_decay"
    ):
        MFAC(model, groups=[{"params": model[0].weight, "damping": 0.1}])


def test_a_model_without_trained_parameters_is_refused():
    with pytest.raises(ValueError, match="ReLU has no parameter to train"):
        MFAC(nn.ReLU())


def test_a_misspelt_setting_of_a_group_is_refused_with_those_that_mfac_allows():
    model = small_net()
    with pytest.raises(ValueError, match=r"A group may set: lr, momentum, weight_decay\."):
        MFAC(model, groups=[{"params": model[0].parameters(), "lrr": 1.0}])
