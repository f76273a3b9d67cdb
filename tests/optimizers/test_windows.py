"""Mean patches from sums of windows, against the patches themselves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from evabench.optimizers.capture.patches import AxisGeometry, patch_rows
from evabench.optimizers.capture.windows import PatchMeans, visit_axis
from tests.optimizers.test_patches import convolutions


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(deadline=None)
@given(convolutions(), st.booleans())
def test_the_mean_patch_of_a_sample_is_the_mean_of_its_rows(drawn, channels_last):
    convolution, x = drawn
    if channels_last and x.dim() == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    rows = patch_rows(x, convolution)  # [groups, n * positions, d_in]
    expected = rows.unflatten(-2, (len(x), -1)).mean(-2)
    assert_close(PatchMeans()(x, convolution), expected)


def test_the_places_inside_are_summed_at_once():
    visits = visit_axis(AxisGeometry(kernel=3, stride=1, dilation=1, before=1, after=1), mode="zeros", size=32)
    assert visits.slices == (slice(0, 1, 1), slice(1, 31, 1), slice(31, 32, 1))
    assert visits.counts == ((1, 1, 0), (1, 1, 1), (0, 1, 1))
    assert visits.num_positions == 32


def test_a_stride_makes_slices_with_steps():
    visits = visit_axis(AxisGeometry(kernel=3, stride=2, dilation=1, before=1, after=1), mode="zeros", size=8)
    assert slice(1, 6, 2) in visits.slices


def test_the_means_of_one_convolution_serve_inputs_of_another_size():
    means, convolution = PatchMeans(), nn.Conv1d(2, 3, 3, padding=1)
    for size in (5, 9):
        x = torch.rand(4, 2, size)
        assert_close(means(x, convolution), patch_rows(x, convolution).unflatten(0, (4, -1)).mean(1))
