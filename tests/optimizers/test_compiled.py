"""Eva with its projections through torch.compile: the same steps, and errors for people.

The back end is "aot_eager": all of torch.compile but the C++ compiler, which a machine need not have.
"""

import copy
import pickle

import pytest
import torch
from torch import nn

from evabench.optimizers import Eva, EvaF
from evabench.optimizers import compiled as module
from evabench.optimizers.compiled import Compiled


@pytest.fixture(autouse=True)
def _no_c_compiler(monkeypatch):
    monkeypatch.setattr(module, "BACKEND", "aot_eager")
    yield
    torch.compiler.reset()


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5, bias=False), nn.Tanh(), nn.Linear(5, 2)
    ).double()


def train(model, optimizer, steps=3):
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        inputs = torch.rand(8, 1, 6, 6, dtype=torch.float64, generator=generator)
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("kind", [Eva, EvaF])
def test_compiled_steps_equal_eager_ones(kind):
    eager, compiled = net(), net()
    found = train(compiled, kind(compiled, lr=0.1, damping=0.01, compile=True))
    torch.testing.assert_close(found, train(eager, kind(eager, lr=0.1, damping=0.01)), rtol=1e-9, atol=1e-12)
    assert all(torch.ne(*pair).any() for pair in zip(found, net().parameters(), strict=True))


def test_a_copy_compiles_anew_and_the_state_dict_says_nothing_of_it():
    model = net()
    optimizer = Eva(model, compile=True)
    train(model, optimizer, steps=1)
    assert "compile" not in optimizer.state_dict()["param_groups"][0]
    twin_model, twin = pickle.loads(pickle.dumps(copy.deepcopy((model, optimizer))))
    torch.testing.assert_close(train(twin_model, twin, steps=1), train(model, optimizer, steps=1))


def test_a_compiler_that_fails_leaves_the_parameters_and_says_what_to_do(monkeypatch):
    def fails(graph, inputs):
        raise OSError("no compiler here")

    monkeypatch.setattr(module, "BACKEND", fails)
    model = net()
    optimizer = Eva(model, compile=True)
    with pytest.raises(RuntimeError, match=r"no compiler here.*compile=False"):
        train(model, optimizer, steps=1)
    torch.testing.assert_close(list(model.parameters()), list(net().parameters()))


def test_an_error_of_the_function_itself_is_not_blamed_on_the_compiler():
    def refuses(x):
        raise RuntimeError("a mistake of its own")

    with pytest.raises(RuntimeError, match="a mistake of its own") as caught:
        Compiled(refuses)(torch.ones(1))
    assert "compile=True" not in str(caught.value)
