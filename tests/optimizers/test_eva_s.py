"""The whole step of Eva-s: means of every layer, grafting, momentum, and what is kept."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import EvaS
from evabench.optimizers.shell.coverage import coverage
from tests import dense
from tests.optimizers.models import backward, batch, small_net, train

DAMPING = 0.03


@pytest.mark.parametrize("beta2", [1.0, 0.9])
def test_the_directions_equal_the_dense_solve_with_the_length_of_the_gradient(beta2):
    model = small_net()
    eva_s = EvaS(model, lr=0.01, damping=DAMPING, beta2=beta2)
    weight = 1 if beta2 == 1 else 1 - beta2
    rows, columns = torch.zeros(5, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    for step in range(3):
        eva_s.zero_grad()
        backward(model, *batch(seed=step))
        G, bias_gradient = model[0].weight.grad.clone(), model[0].bias.grad.clone()
        rows, columns = beta2 * rows + weight * G.mean(1), beta2 * columns + weight * G.mean(0)
        P = dense.solve(torch.kron(torch.outer(rows, rows), torch.outer(columns, columns)), G, DAMPING)
        eva_s.step()
        assert_close(model[0].weight.grad, P * G.norm() / P.norm())
        assert_close(model[0].bias.grad, bias_gradient, rtol=0, atol=0)


def test_the_state_beyond_the_momentum_is_one_number_a_row_and_column():
    model = nn.Sequential(nn.Conv2d(3, 4, (2, 5)), nn.Flatten(), nn.Linear(4 * 3 * 2, 2))
    eva_s = EvaS(model)
    model(torch.rand(2, 3, 4, 6)).square().mean().backward()
    eva_s.step()
    for layer in eva_s.layers:
        curvature = {name: value for name, value in eva_s.state[layer.weight].items() if name != "momentum_buffer"}
        assert sum(value.numel() for value in curvature.values()) == sum(layer.weight.shape)
    assert all(set(eva_s.state[layer.bias]) == {"momentum_buffer"} for layer in (model[0], model[2]))


def test_every_parameter_with_two_axes_is_preconditioned_and_the_rest_is_named():
    model = nn.ModuleDict({"table": nn.Embedding(5, 3), "cell": nn.GRU(3, 2), "norm": nn.LayerNorm(2)})
    eva_s = EvaS(model)
    output, _ = model["cell"](model["table"](torch.tensor([[0, 1, 2]])))
    model["norm"](output).square().sum().backward()
    eva_s.step()
    covered = coverage(eva_s)
    names = {each.name for each in covered.layers if each.treatment == "preconditioned"}
    assert names == {"table", "cell.weight_ih_l0", "cell.weight_hh_l0"}
    assert {each.reason for each in covered.layers if each.treatment == "plain gradient"} == {"one axis"}
    assert covered.share == (15 + 18 + 12) / (15 + 18 + 12 + 12 + 4)


def test_a_weight_without_a_gradient_so_far_is_named_with_the_reason():
    model = nn.ModuleDict({"used": small_net(), "unused": nn.Linear(4, 4)})
    eva_s = EvaS(model)
    train(model["used"], eva_s, range(1))
    (unused,) = (each for each in coverage(eva_s).layers if each.name == "unused" and each.num_parameters == 16)
    assert (unused.treatment, unused.reason) == ("plain gradient", "it never had a gradient")


def test_a_shared_weight_is_one_layer():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert [layer.name for layer in EvaS(model).layers] == ["0"]


def test_a_group_may_have_a_damping_of_its_own():
    model = small_net()
    eva_s = EvaS(model, damping=1e-6, groups=[{"params": model[2].weight, "damping": 1e6}])
    backward(model, *batch())
    G = model[2].weight.grad.clone()
    eva_s.step()
    assert_close(model[2].weight.grad, G)
