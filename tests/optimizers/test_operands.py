"""Weights that stand in a product as they are, transposed, in another type, in part, or not at all."""

import types

import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, Eva, EvaF
from evabench.optimizers.shell.coverage import coverage
from evabench.optimizers.shell.health import health
from tests.optimizers.models import parameters
from tests.optimizers.unit_linears import each_class, make, seen, statistics, unit_linears, value


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def told(optimizer):
    return {each.name: each.reason or each.treatment for each in coverage(optimizer).layers}


class Times(nn.Module):
    """A module with a matrix of its own."""

    def __init__(self, multiply):
        super().__init__()
        self.weight, self.multiply = nn.Parameter(random(3, 2)), multiply

    def forward(self, x):
        return self.multiply(x, self.weight)


PRODUCTS = {
    "einsum": lambda x, w: torch.einsum("nd,od->no", x, w),
    "einsum with dots": lambda x, w: torch.einsum("...d, od -> ...o", x, w),
    "einsum of the weight first": lambda x, w: torch.einsum("od,nd->no", w, x),
    "einsum of the transpose": lambda x, w: torch.einsum("nd,do->no", x, w.t()),
    "einsum of a list": lambda x, w: torch.einsum("nd,od->no", [x, w]),
    "tensordot": lambda x, w: torch.tensordot(x, w, dims=([1], [1])),
    "tensordot by a number": lambda x, w: torch.tensordot(x, w.T, dims=1),
    "inner": torch.inner,
    "a transpose in memory": lambda x, w: x @ w.t().contiguous(),
    "a permutation": lambda x, w: x @ w.permute(1, 0),
    "a copy": lambda x, w: functional.linear(x, w.clone()),
    "another type": lambda x, w: functional.linear(x.float(), w.float()).double(),
    "half precision": lambda x, w: functional.linear(x.half(), w.half()).double(),
    "addmm of a tensor": lambda x, w: x.new_zeros(3).addmm(x, w.mT),
}


@each_class
@pytest.mark.parametrize("multiply", PRODUCTS.values(), ids=PRODUCTS)
def test_however_it_is_written_a_product_with_a_matrix_is_that_of_a_linear_layer(optimizer_class, multiply):
    special, plain = Times(multiply), nn.Linear(2, 3, bias=False, dtype=torch.float64)
    plain.weight.data = special.weight.data.clone()
    optimizers = make(optimizer_class, special), make(optimizer_class, plain)
    for model, optimizer in zip((special, plain), optimizers, strict=True):
        model(random(5, 2)).square().mean().backward()
        optimizer.step()
    assert coverage(optimizers[0]).share == 1
    assert_close(parameters(special), parameters(plain), rtol=1e-2, atol=1e-3)


NO_PRODUCTS = {
    "from the left": lambda x, w: (w @ x.T).T,
    "a stack": lambda x, w: (x.unsqueeze(0) @ w.T.unsqueeze(0)).squeeze(0),
    "einsum over two indices": lambda x, w: torch.einsum("nd,od->n", x, w).unsqueeze(1),
    "a part": lambda x, w: functional.linear(x, w[:2]),
    "a lookup": lambda x, w: functional.embedding(torch.zeros(5, dtype=torch.long), w),
}


@each_class
@pytest.mark.parametrize("multiply", NO_PRODUCTS.values(), ids=NO_PRODUCTS)
def test_what_is_no_product_of_rows_takes_the_plain_gradient_and_is_named(optimizer_class, multiply):
    optimizer = make(optimizer_class, model := Times(multiply))
    model(random(5, 2)).square().mean().backward()
    optimizer.step()
    assert "multiplies no rows by its matrix alone" in told(optimizer)["Times"]


class UsedTwice(nn.Module):
    def __init__(self, other):
        super().__init__()
        self.layers, self.other = unit_linears(2), other

    def forward(self, x):
        return self.layers(x) + self.other(4 * x, self.layers[0].weight)


@each_class
@pytest.mark.parametrize("multiply", NO_PRODUCTS.values(), ids=NO_PRODUCTS)
def test_a_layer_whose_weight_is_also_used_otherwise_takes_the_plain_gradient_and_is_named(optimizer_class, multiply):
    optimizer = make(optimizer_class, model := UsedTwice(multiply))
    for _ in range(2):
        optimizer.zero_grad()
        model(value(1)).sum().backward()
        optimizer.step()
        assert "not that of one weight" in health(optimizer).why_plain["layers.0"]


@each_class
@pytest.mark.parametrize("name", ["einsum", "tensordot", "inner", "a copy", "another type"])
def test_a_layer_whose_weight_multiplies_other_rows_besides_counts_both(optimizer_class, name):
    optimizer = make(optimizer_class, model := UsedTwice(PRODUCTS[name]))
    model(value(1)).sum().backward()
    optimizer.step()
    expected = {Eva: {"a": 2.5, "b": 1.0}, EvaF: {"a": 2.5}, FOOF: {"A": 8.5}, KFAC: {"A": 8.5, "B": 4.0}}
    assert statistics(optimizer, model.layers[0]) == expected[optimizer_class]


class LowRank(nn.Module):
    """The weight of LoRA, which is computed: no rows are multiplied by either of its factors."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Parameter(random(1, 3)), nn.Parameter(random(3, 1))
        self.register_buffer("base", random(3, 3))

    def forward(self, x):
        return functional.linear(x, self.base + self.up @ self.down)


@each_class
def test_a_product_of_two_parameters_is_a_weight_and_no_rows(optimizer_class):
    model = nn.ModuleDict({"low_rank": LowRank(), "usual": nn.Linear(3, 2).double()})
    optimizer = make(optimizer_class, model)
    model["usual"](model["low_rank"](random(5, 3))).square().mean().backward()
    optimizer.step()
    assert "multiplies no rows by its matrix alone" in told(optimizer)["low_rank"]
    assert told(optimizer)["usual"] == "preconditioned"


def by_a_forward(layer):
    layer.forward = lambda x: functional.linear(2 * x, layer.weight)


def by_accelerate(layer):
    class Doubling(ModelHook):
        def pre_forward(self, module, *args, **kwargs):
            return (2 * args[0],), kwargs

    add_hook_to_module(layer, Doubling())


def by_a_class(layer):
    class Doubling(nn.Linear):
        def forward(self, x):
            return super().forward(2 * x)

    layer.__class__ = Doubling


@each_class
@pytest.mark.parametrize("when", ["before", "after", "after a step"])
@pytest.mark.parametrize("replace", [by_a_forward, by_accelerate, by_a_class])
def test_what_others_have_put_in_the_place_of_a_forward_is_what_counts(optimizer_class, when, replace):
    model = unit_linears()
    if when == "before":
        replace(model[0])
    optimizer = optimizer_class(model, **({"refresh_every": 1} if optimizer_class in (FOOF, KFAC) else {}))
    if when == "after":
        replace(model[0])
    if when == "after a step":
        for x in (1, 3):  # the second pass tells that the layer is used in another way
            optimizer.zero_grad()
            model(value(x)).sum().backward()
            optimizer.step()
            if x == 1:
                replace(model[0])
        optimizer.zero_grad()
    model(value(3)).sum().backward()
    ((_, sums),) = optimizer.capture.sums.items()
    assert sums.inputs.item() == (6 if optimizer_class in (Eva, EvaF) else 36)
    assert sums.num_rows == 1


@each_class
def test_a_convolution_that_was_made_to_tile_is_one_of_what_it_pads(optimizer_class):
    tiled = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1)).double()
    plain = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular")).double()
    plain.load_state_dict(tiled.state_dict())

    def convolve(self, x, weight, bias):
        return functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode="circular"), weight, bias)

    tiled[0]._conv_forward = types.MethodType(convolve, tiled[0])
    optimizers = make(optimizer_class, tiled), make(optimizer_class, plain)
    for model, optimizer in zip((tiled, plain), optimizers, strict=True):
        model(random(2, 1, 4, 5)).square().mean().backward()
        optimizer.step()
    assert_close(parameters(tiled), parameters(plain))


@each_class
def test_an_output_that_a_forward_hook_has_scaled_is_scaled_behind_the_layer(optimizer_class):
    model = unit_linears()
    model[0].register_forward_hook(lambda module, args, output: 2 * output)
    optimizer = make(optimizer_class, model)
    model(value(3)).sum().backward()
    optimizer.step()
    assert statistics(optimizer, model[0]) == seen(optimizer_class, 3.0, 2.0)
