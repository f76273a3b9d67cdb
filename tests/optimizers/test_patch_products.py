"""Sums of the outer products of patches from products of lines, against the patches themselves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from evabench.optimizers.capture.patch_products import AT_ONCE, add_patch_products_, find_stretches
from evabench.optimizers.capture.patches import AxisGeometry, patch_rows
from evabench.optimizers.kfac.factor_sums import FactorSums
from evabench.optimizers.layers.layers import find_layers
from tests.optimizers.test_patches import convolutions


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(deadline=None)
@given(convolutions(), st.booleans())
def test_the_products_of_lines_add_up_to_those_of_the_patches(drawn, channels_last):
    convolution, x = drawn
    if channels_last and x.dim() == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    rows = patch_rows(x, convolution)
    expected = rows.mT @ rows
    summed = torch.zeros_like(expected)
    add_patch_products_(summed, x, convolution)
    assert_close(summed, expected)


def test_what_is_there_already_is_added_to():
    convolution, x = nn.Conv2d(2, 3, 3), torch.rand(2, 2, 5, 5)
    once, twice = torch.zeros(18, 18), torch.zeros(18, 18)
    for summed in (once, twice, twice):
        add_patch_products_(summed, x, convolution)
    assert_close(twice, 2 * once)


def test_three_offsets_take_the_products_of_the_inside_once_each():
    stretches = find_stretches(AxisGeometry(kernel=3, stride=1, dilation=1, before=1, after=1), 32)
    assert sum(each.stop - each.start for each in stretches) == 32 + 31 + 30  # at distances 0, 1 and 2
    assert [each.offsets for each in stretches if each.stop - each.start > 1] == [(0, 1, 2), (0, 1), (0,)]


def test_a_kernel_that_sees_only_padding_at_an_offset_multiplies_nothing_there():
    (only,) = find_stretches(AxisGeometry(kernel=3, stride=1, dilation=1, before=1, after=1), 1)
    assert (only.distance, only.offsets) == (0, (1,))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding_mode", ["zeros", "circular"])
@pytest.mark.parametrize("output_gradient", ["per_example", "batch_mean"])
def test_the_factors_of_a_convolution_with_a_bias_are_those_of_its_rows(groups, padding_mode, output_gradient):
    convolution = nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=1, groups=groups, padding_mode=padding_mode)
    (layer,) = find_layers(convolution.double())
    sums = FactorSums("expand", output_gradient)
    inputs, gradients = torch.rand(5, 4, 6, 7, dtype=torch.float64), torch.rand(5, 6, 6, 4, dtype=torch.float64)
    a = sums.input_rows(layer, convolution, inputs)
    g = sums.output_gradient_rows(layer, convolution, gradients)
    assert_close(sums.of_inputs(layer, convolution, inputs), a.mT @ a)
    assert_close(sums.of_output_gradients(layer, convolution, gradients), g.mT @ g)


def test_samples_that_do_not_fit_at_once_are_added_in_parts():
    convolution, x = nn.Conv2d(1, 1, (2, 3), padding=1), torch.rand(3, 1, 512, 512, dtype=torch.float64)
    assert 2 * x[0].numel() * 3 <= AT_ONCE < x.numel() * 3
    rows = patch_rows(x, convolution)
    summed = torch.zeros(6, 6, dtype=torch.float64)
    add_patch_products_(summed, x, convolution)
    assert_close(summed, rows.T @ rows)
