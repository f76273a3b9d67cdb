import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers.step.descent import descend_


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_a_descent_equals_torch_sgd(momentum, weight_decay):
    group = {"lr": 0.1, "momentum": momentum, "weight_decay": weight_decay}
    theirs = [torch.nn.Parameter(torch.rand(3, 4, dtype=torch.float64)) for _ in range(2)]
    ours = [torch.nn.Parameter(parameter.detach().clone()) for parameter in theirs]
    sgd = torch.optim.SGD(theirs, lr=0.1, momentum=momentum, weight_decay=weight_decay)
    states = {parameter: {} for parameter in ours}
    for _ in range(4):
        for mine, other in zip(ours, theirs, strict=True):
            other.grad = torch.rand(3, 4, dtype=torch.float64)
            mine.grad = other.grad.clone()
        sgd.step()
        with torch.no_grad():
            descend_(group | {"params": ours}, states)
    assert_close(ours, theirs)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_a_standard_nesterov_step_equals_torch_sgd(weight_decay):
    group = {"lr": 0.1, "momentum": 0.9, "weight_decay": weight_decay}
    theirs = torch.nn.Parameter(torch.rand(3, 4, dtype=torch.float64))
    ours = torch.nn.Parameter(theirs.detach().clone())
    sgd = torch.optim.SGD([theirs], **group, nesterov=True)
    states = {ours: {}}
    for _ in range(4):
        theirs.grad = torch.rand(3, 4, dtype=torch.float64)
        ours.grad = theirs.grad.clone()
        sgd.step()
        with torch.no_grad():
            descend_(group | {"nesterov": "standard", "params": [ours]}, states)
    assert_close(ours, theirs)


@pytest.mark.parametrize("divisor", [None, 4.0])
def test_nesterov_in_place_decays_the_momentum_twice_a_step(divisor):
    parameter = torch.nn.Parameter(torch.rand(3, 4, dtype=torch.float64))
    expected, buffer = parameter.detach().clone(), torch.zeros(3, 4, dtype=torch.float64)
    group = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": "in_place", "params": [parameter]}
    states = {parameter: {}}
    for _ in range(4):
        parameter.grad = torch.rand(3, 4, dtype=torch.float64)
        direction = parameter.grad / (divisor or 1.0) + 0.01 * expected
        buffer = 0.9 * (0.9 * buffer + direction) + direction
        expected = expected - 0.1 * buffer
        with torch.no_grad():
            descend_(group, states, divisor=None if divisor is None else torch.tensor(divisor))
    assert_close(parameter.detach(), expected)


def test_parameters_without_a_gradient_stay_and_get_no_momentum():
    parameter = torch.nn.Parameter(torch.ones(2))
    states = {parameter: {}}
    descend_({"params": [parameter], "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}, states)
    assert_close(parameter.detach(), torch.ones(2))
    assert not states[parameter]
