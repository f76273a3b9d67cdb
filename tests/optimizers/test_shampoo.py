"""Shampoo against the dense fractional power."""

import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers import Shampoo
from tests import dense
from tests.optimizers.models import backward, batch, small_net, train

EPSILON = 1e-6


@pytest.mark.parametrize("beta2", [1.0, 0.9])
@pytest.mark.parametrize("grafting", ["none", "sgd"])
def test_the_directions_equal_the_dense_fractional_powers(beta2, grafting):
    model = small_net()
    shampoo = Shampoo(model, lr=0.01, beta2=beta2, epsilon=EPSILON, grafting=grafting)
    weight = 1 if beta2 == 1 else 1 - beta2
    L, R = torch.zeros(5, 5, dtype=torch.float64), torch.zeros(4, 4, dtype=torch.float64)
    for step in range(3):
        shampoo.zero_grad()
        backward(model, *batch(seed=step))
        G = model[0].weight.grad.clone()
        bias_gradient = model[0].bias.grad.clone()
        L, R = beta2 * L + weight * G @ G.T, beta2 * R + weight * G.T @ G
        P = dense.power(L, -1 / 4, EPSILON) @ G @ dense.power(R, -1 / 4, EPSILON)
        shampoo.step()
        expected = P * G.norm() / P.norm() if grafting == "sgd" else P
        assert_close(model[0].weight.grad, expected)
        assert_close(model[0].bias.grad, bias_gradient, rtol=0, atol=0)


def test_factors_grow_at_every_step_and_roots_only_at_a_refresh():
    model = small_net()
    shampoo = Shampoo(model, refresh_every=2)
    train(model, shampoo, range(1))
    state = shampoo.state[model[0].weight]
    L, root = state["L"].clone(), state["L_root"].clone()
    train(model, shampoo, range(1, 2))
    assert not torch.equal(state["L"], L)
    assert torch.equal(state["L_root"], root)
    train(model, shampoo, range(2, 3))
    assert not torch.equal(state["L_root"], root)


def test_a_root_that_cannot_be_computed_stays_as_it_was_and_is_counted():
    model = small_net()
    shampoo = Shampoo(model)
    train(model, shampoo, range(1))
    state = shampoo.state[model[0].weight]
    root = state["L_root"].clone()
    state["L"].fill_(torch.nan)
    train(model, shampoo, range(1, 2))
    assert torch.equal(state["L_root"], root)
    assert shampoo.health().num_failures == 1
