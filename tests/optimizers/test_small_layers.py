from itertools import zip_longest

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.optimizers import Eva, EvaF
from evabench.optimizers.eva.rank_one import project_both_sides_, project_input_side_
from evabench.optimizers.eva.small_layers import goes_together, project_all_both_sides_, project_all_input_sides_
from evabench.optimizers.layers.layers import find_layers

shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=4)
dampings = st.floats(1e-3, 1e2)


def draw(shapes, num_biases, seed):
    generator = torch.Generator().manual_seed(seed)
    drawn = [
        [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((o, i), (o,), (i,), (o,))]
        for o, i in shapes
    ]
    Gs, gs, rows, bs = (list(each) for each in zip(*drawn, strict=True))
    return Gs, gs[:num_biases], rows, bs


def assert_same(together, alone):
    """Compare what a clip may ask of layers."""
    found = (together.D_squares, together.c_squares, together.curved())
    assert_close(found, tuple(torch.stack(each) for each in zip(*alone, strict=True)))


@given(shapes, st.integers(0, 4), dampings, st.integers(0, 9))
def test_layers_together_equal_one_after_the_other_from_both_sides(shapes, num_biases, damping, seed):
    Gs, gs, rows, bs = draw(shapes, num_biases, seed)
    one_by_one = draw(shapes, num_biases, seed)
    together = project_all_both_sides_(Gs, gs, rows, bs, damping)
    by_layer = zip_longest(*one_by_one)
    assert_same(together, [project_both_sides_(G, g, row, b, damping) for G, g, row, b in by_layer])
    assert_close((Gs, gs), one_by_one[:2])


@given(shapes, st.integers(0, 4), dampings, st.integers(0, 9))
def test_layers_together_equal_one_after_the_other_from_the_input_side(shapes, num_biases, damping, seed):
    Gs, gs, rows, _ = draw(shapes, num_biases, seed)
    one_by_one = draw(shapes, num_biases, seed)
    together = project_all_input_sides_(Gs, gs, rows, damping)
    by_layer = zip_longest(*one_by_one)
    assert_same(together, [project_input_side_(G, g, row, damping) for G, g, row, _ in by_layer])
    assert_close((Gs, gs), one_by_one[:2])


class Net(nn.Module):
    """Small layers with a bias and without, convolutions with groups and without, and one layer that is not small."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, bias=False)
        self.second = nn.Conv2d(4, 4, 3, groups=2)
        self.third = nn.Conv2d(4, 6, 1)
        self.large = nn.Linear(6 * 16, 700)
        self.fifth = nn.Linear(700, 5, bias=False)
        self.sixth = nn.Linear(5, 3)

    def forward(self, images):
        x = self.third(self.second(self.first(images)).tanh())
        return self.sixth(self.fifth(self.large(x.flatten(1)).tanh()))


def trained(optimizer_class, memory_format, *, together):
    torch.manual_seed(0)
    model = Net().double().to(memory_format=memory_format)
    optimizer = optimizer_class(model, groups=[{"params": model.third.parameters(), "damping": 0.5}])
    if not together:
        optimizer.project_all_ = None
    for _ in range(3):
        optimizer.zero_grad()
        images = torch.randn(4, 3, 8, 8, dtype=torch.float64).contiguous(memory_format=memory_format)
        model(images).square().mean().backward()
        optimizer.step()
    return list(model.parameters())


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_steps_are_the_same_whether_small_layers_go_together_or_not(optimizer_class, memory_format):
    together = trained(optimizer_class, memory_format, together=True)
    assert_close(together, trained(optimizer_class, memory_format, together=False))


def test_small_layers_have_no_groups_and_full_precision():
    small = {layer.name.removesuffix(".weight"): goes_together(layer) for layer in find_layers(Net())}
    assert small == {"first": True, "second": False, "third": True, "large": False, "fifth": True, "sixth": True}
    assert not any(map(goes_together, find_layers(Net().bfloat16())))


def test_on_a_gpu_large_layers_go_together_too():
    with FakeTensorMode(), torch.device("cuda"):
        together = {layer.name.removesuffix(".weight"): goes_together(layer) for layer in find_layers(Net())}
    assert [name for name, goes in together.items() if not goes] == ["second"]


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_large_layers_that_go_together_train_as_those_that_go_alone(optimizer_class, monkeypatch):
    apart = trained(optimizer_class, torch.contiguous_format, together=True)
    monkeypatch.setattr("evabench.optimizers.eva.small_layers.MAX_SIZE", 2**30)
    assert_close(trained(optimizer_class, torch.contiguous_format, together=True), apart)


class Operators(TorchDispatchMode):
    """Counts the operators that are called."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def operators_a_layer(optimizer_class, *, together):
    counts = []
    for num_layers in (6, 12):
        model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(num_layers)])
        optimizer = optimizer_class(model)
        if not together:
            optimizer.project_all_ = None
        model(torch.ones(2, 3)).square().mean().backward()
        with Operators() as operators:
            optimizer.step()
        counts.append(operators.count)
    return (counts[1] - counts[0]) / 6


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF])
def test_another_small_layer_costs_less_than_half_of_the_operators_of_one_alone(optimizer_class):
    alone = operators_a_layer(optimizer_class, together=False)
    assert operators_a_layer(optimizer_class, together=True) < alone / 2
