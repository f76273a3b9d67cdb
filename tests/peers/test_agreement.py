"""Adapters against ours where the mathematics is the same."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import KFAC, Shampoo
from evabench.peers import asdl, pytorch_optimizer

# ASDL reads the gradients of outputs only; those of inputs are what its hooks may miss.
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")


def conv_net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 3, 2, bias=False),
        nn.Flatten(),
        nn.Linear(3 * 3 * 3, 5, bias=False),
    ).double()


def steps(optimizer, model, num_steps):
    """Return the gradient that each step leaves, of all parameters, and the parameters at the end."""
    generator = torch.Generator().manual_seed(1)
    directions = []
    for _ in range(num_steps):
        x = torch.randn(7, 2, 8, 8, generator=generator, dtype=torch.float64)
        y = torch.randint(0, 5, (7,), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        directions.append([parameter.grad.clone() for parameter in model.parameters()])
        with torch.no_grad():
            model(x)  # an evaluation must leave no trace in the statistics
    return directions, [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("refresh_every", [1, 2])
def test_asdl_takes_the_directions_of_our_kfac_expand_where_no_layer_has_a_bias(refresh_every):
    both = []
    for make in (KFAC, asdl.KFAC):
        model = conv_net()
        settings = {"lr": 0.1, "damping": 0.03, "new_statistic_weight": 1.0, "refresh_every": refresh_every}
        more = {"clip": "none", "weight_sharing": "expand"} if make is KFAC else {}
        both.append(steps(make(model, **settings, **more), model, 5))
    assert_close(both[1], both[0], rtol=1e-9, atol=1e-12)


def test_asdl_preconditions_a_bias_by_its_own_factor_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    x, y = torch.randn(6, 4, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)
    optimizer = asdl.KFAC(model, damping=0.03, new_statistic_weight=1.0)
    loss = nn.functional.mse_loss(model(x), y)
    (own,) = torch.autograd.grad(loss, model[2].bias, retain_graph=True)
    loss.backward()
    optimizer.step()
    assert_close(model[2].bias.grad, optimizer.state[model[2].weight]["B_inv"] @ own)


def test_pytorch_optimizers_shampoo_takes_our_directions():
    both = []
    for ours in (True, False):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.randn(6, 5))
        holder = nn.Module()
        holder.register_parameter("weight", weight)
        optimizer = (
            Shampoo(holder, lr=0.1, momentum=0.0, grafting="none", epsilon=1e-12, refresh_every=1)
            if ours
            else pytorch_optimizer.shampoo([weight], lr=0.1, epsilon=1e-12)
        )
        torch.manual_seed(1)
        for _ in range(8):  # enough for full rank, where no epsilon matters
            weight.grad = torch.randn(6, 5)
            optimizer.step()
        before = weight.detach().clone()
        weight.grad = torch.randn(6, 5)
        optimizer.step()
        both.append((before - weight.detach()) / 0.1)
    assert_close(both[1], both[0], rtol=2e-5, atol=2e-6)


def test_pytorch_optimizers_shampoo_moves_from_the_first_step_at_any_interval():
    parameter = nn.Parameter(torch.ones(3, 2))
    optimizer = pytorch_optimizer.shampoo([parameter], lr=0.1, refresh_every=10)
    parameter.grad = torch.ones(3, 2)
    optimizer.step()
    assert not torch.equal(parameter.detach(), torch.ones(3, 2))
