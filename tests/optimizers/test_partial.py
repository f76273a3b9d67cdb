"""Sums that hooks leave half done, and those that autograd has made for a bias."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.optimizers import Eva
from evabench.optimizers.capture.partial import Partial, finish_all, finished


@given(st.lists(st.tuples(st.sampled_from(["done", "places", "rows"]), st.integers(1, 4)), max_size=6), st.booleans())
def test_sums_that_are_finished_together_are_those_finished_one_by_one(drawn, of_one_kind):
    counts = [torch.rand(6, 2, dtype=torch.float64), torch.rand(6, 3, dtype=torch.float64)]
    sums = []
    for index, (kind, size) in enumerate(drawn):
        values = {"done": (size,), "places": (size, 6), "rows": (5 if of_one_kind else size, 3)}[kind]
        tensor = torch.rand(values, dtype=torch.float64)
        of_places = Partial(tensor, counts[0 if of_one_kind else index % 2])
        sums.append({"done": tensor, "places": of_places, "rows": Partial(tensor)}[kind])
    assert_close(finish_all(sums), [finished(each) for each in sums])


def summed(make, *, prepare=lambda layer: None, loss=lambda layer, output: output.square().sum()):
    """Return what the capture has of the output gradients of a layer, and what it should have."""
    torch.manual_seed(0)
    layer = make().double()
    prepare(layer)
    eva = Eva(layer)
    x = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    seen = []
    for _ in range(2):  # a second pass adds to the first
        output = layer(x if isinstance(layer, nn.Conv2d) else x.flatten(1))
        output.register_hook(lambda gradient: seen.append(gradient.movedim(1, -1).flatten(0, -2).sum(0)))
        loss(layer, output).backward()
    ((_, sums),) = eva.capture.sums.items()
    return sums.output_gradients, seen[0] + seen[1]


LAYERS = [lambda: nn.Linear(75, 3), lambda: nn.Conv2d(3, 4, 3), lambda: nn.Conv2d(3, 6, 3, groups=3)]


@pytest.mark.parametrize("make", LAYERS)
def test_what_autograd_sums_for_a_bias_is_the_sum_of_the_output_gradients(make):
    assert_close(*summed(make))


@pytest.mark.parametrize("make", LAYERS)
def test_a_penalty_on_the_bias_is_no_output_gradient(make):
    assert_close(*summed(make, loss=lambda layer, output: output.square().sum() + 10 * layer.bias.square().sum()))


@pytest.mark.parametrize("make", LAYERS)
def test_a_frozen_bias_makes_no_difference(make):
    assert_close(*summed(make, prepare=lambda layer: layer.bias.requires_grad_(False)))


@pytest.mark.parametrize("make", LAYERS)
def test_who_writes_to_the_gradient_of_the_bias_does_not_write_to_the_statistics(make):
    def zero(bias):
        bias.grad.zero_()

    assert_close(*summed(make, prepare=lambda layer: layer.bias.register_post_accumulate_grad_hook(zero)))


@pytest.mark.parametrize(("num_samples", "is_left"), [(15, False), (16, True)])
def test_what_stays_until_the_step_is_at_most_a_sixteenth_of_what_was_read(num_samples, is_left):
    layer = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    eva = Eva(layer)
    layer(torch.randn(num_samples, 3, 5, 5)).square().sum().backward()
    ((_, sums),) = eva.capture.sums.items()
    assert isinstance(sums.summed_inputs, Partial) is is_left


class Reads(TorchDispatchMode):
    """Notes the sizes of what sums and products of matrices and vectors read."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function in (torch.ops.aten.mv.default, torch.ops.aten.sum.dim_IntList, torch.ops.aten.mm.default):
            self.sizes.append(max(each.numel() for each in args if isinstance(each, torch.Tensor)))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(("bias", "times"), [(True, 1), (False, 2)])
def test_a_convolution_with_a_bias_is_read_once_and_without_one_its_gradient_too(bias, times):
    layer = nn.Conv2d(3, 3, 3, padding=1, bias=bias)
    eva = Eva(layer)
    x = torch.randn(4, 3, 5, 5)
    with Reads() as reads:
        output = layer(x)
        output.backward(torch.ones_like(output))
    assert reads.sizes.count(x.numel()) == times
    assert len(eva.capture.sums) == 1
