"""Axes and factors that are too long for what a machine has."""

import psutil
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Shampoo
from evabench.optimizers.shell.coverage import coverage
from tests.optimizers.models import backward, batch, parameters, small_net, train

each_factored = pytest.mark.parametrize("optimizer_class", [FOOF, KFAC])


def told(optimizer):
    return {each.name: (each.treatment, each.reason) for each in coverage(optimizer).layers}


def test_shampoo_has_no_factor_of_an_axis_that_is_longer_than_allowed_and_coverage_says_so():
    model = nn.Sequential(nn.Embedding(50_257, 4), nn.Linear(4, 3))
    shampoo = Shampoo(model)
    model(torch.arange(9)).square().mean().backward()
    shampoo.step()
    assert shampoo.state[model[0].weight]["factors"].numel() == 4 * 4
    assert told(shampoo)["0"] == ("preconditioned", "no factor of axes longer than max_axis = 8192: 50257")


def test_the_root_of_one_factor_is_that_of_a_curvature_with_one_side():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 3, bias=False)).double()
    shampoo = Shampoo(model, max_axis=8, grafting="none", momentum=0.0, lr=1.0)
    before = model[0].weight.detach().clone()
    model(torch.randn(20, 9, dtype=torch.float64)).square().mean().backward()
    G = model[0].weight.grad.clone()
    shampoo.step()
    w, Q = torch.linalg.eigh(G @ G.T)
    assert_close(before - model[0].weight.detach(), Q @ torch.diag(w.rsqrt()) @ Q.T @ G)


def test_a_weight_whose_axes_are_all_too_long_takes_the_plain_gradient_and_is_named():
    model = nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 3)).double()
    shampoo = Shampoo(model, max_axis=8)
    model(torch.rand(5, 9, dtype=torch.float64)).square().mean().backward()
    shampoo.step()
    assert told(shampoo)["0"] == ("plain gradient", "no factor of axes longer than max_axis = 8: 9, 9")


def test_blocks_keep_long_axes_short():
    model = nn.Sequential(nn.Linear(20, 9)).double()
    assert "no factor" not in str(coverage(Shampoo(model, max_axis=8, block_size=5)))


def test_a_state_of_before_there_was_a_limit_is_resumed():
    model = nn.Sequential(nn.Linear(9, 3)).double()
    old = Shampoo(model)
    model(torch.rand(5, 9, dtype=torch.float64)).square().mean().backward()
    old.step()
    state = old.state_dict()
    for group in state["param_groups"]:
        del group["max_axis"]
    new = Shampoo(model)
    new.load_state_dict(state)
    new.step()
    assert new.param_groups[0]["max_axis"] == 8192


@each_factored
def test_a_layer_with_a_longer_factor_than_allowed_takes_the_plain_gradient_and_is_named(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, max_factor=5)
    train(model, optimizer, range(2))
    assert told(optimizer) == {
        "0": ("preconditioned", ""),
        "2": ("plain gradient", "its factor of length 6 is longer than max_factor = 5"),
    }


@each_factored
@pytest.mark.parametrize(
    "exclude", [("2",), "2", lambda model: [model[2]], lambda model: lambda name, module: name == "2"]
)
def test_layers_are_excluded_by_name_by_module_or_by_a_function_of_both(optimizer_class, exclude):
    model = small_net()
    optimizer = optimizer_class(model, exclude=exclude(model) if callable(exclude) else exclude, momentum=0.0)
    train(model, optimizer, range(2))
    assert told(optimizer) == {"0": ("preconditioned", ""), "2": ("plain gradient", "it is excluded")}


@each_factored
def test_what_is_no_module_of_the_model_cannot_be_excluded(optimizer_class):
    with pytest.raises(ValueError, match=r"exclude: .*head.* is no module of the model. It takes names of modules"):
        optimizer_class(small_net(), exclude=["head"])


@each_factored
def test_a_model_whose_layers_are_all_left_out_is_refused(optimizer_class):
    with pytest.raises(ValueError, match=r"all are left out, 0 because it is excluded. Use torch.optim.SGD"):
        optimizer_class(small_net(), exclude=small_net_layers)


def small_net_layers(name, module):
    return isinstance(module, nn.Linear)


@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC, lambda model: Shampoo(model, max_axis=None)])
def test_a_factor_that_the_memory_has_no_room_for_is_refused_with_layer_and_bytes(optimizer_class):
    model = nn.ModuleDict({"usual": nn.Linear(4, 4), "head": nn.Linear(4_000_000, 1, bias=False)})
    with pytest.raises(ValueError, match=r"a factor of head has the length 4000000 and would take 58.2 TiB, more than"):
        optimizer_class(model)


class Wide(nn.Module):
    """Multiplies by a matrix of its own, which a pass tells to be a layer."""

    def __init__(self):
        super().__init__()
        self.weight, self.head = nn.Parameter(torch.ones(4_000_000, 1)), nn.Linear(1, 1)

    def forward(self, x):
        return self.head(x @ self.weight)


@each_factored
def test_a_layer_that_is_found_by_its_product_is_left_out_and_named_where_there_is_no_room(optimizer_class):
    model = Wide()
    optimizer = optimizer_class(model)
    model(torch.ones(2, 4_000_000)).mean().backward()
    optimizer.step()
    assert told(optimizer)["head"] == ("preconditioned", "")
    assert told(optimizer)["Wide"][1].startswith("a factor of Wide has the length 4000000 and would take 58.2 TiB")


@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC, lambda model: Shampoo(model, max_axis=None)])
def test_factors_that_the_memory_has_room_for_one_by_one_alone_are_refused(optimizer_class):
    length = int((psutil.virtual_memory().available / 4 / 3) ** 0.5)  # a third of the memory each
    model = nn.Sequential(*(nn.Linear(length, 1, bias=False) for _ in range(5)))
    with pytest.raises(
        ValueError, match=rf"factors would take .* that are free; the longest, of 0, .* length {length}"
    ):
        optimizer_class(model)


def test_a_window_that_the_memory_has_no_room_for_is_refused():
    model = nn.Sequential(nn.Linear(1000, 1000))
    with pytest.raises(ValueError, match=r"M-FAC: the window of 100000000 gradients would take 364 TiB, more than"):
        MFAC(model, num_gradients=100_000_000)


@each_factored
def test_a_long_layer_that_is_excluded_asks_for_no_memory(optimizer_class):
    model = nn.ModuleDict({"usual": nn.Linear(4, 3).double(), "head": nn.Linear(4_000_000, 1, bias=False)})
    optimizer = optimizer_class(model, exclude=["head"])
    before = parameters(model["usual"])
    backward(model["usual"], *batch())
    optimizer.step()
    assert (parameters(model["usual"])[0] != before[0]).any()
