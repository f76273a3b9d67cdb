"""Convolutions: window sums and patch rows against the patches that torch itself would multiply by."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from evabench.optimizers.capture.patches import PatchSums, SumOfRows, patch_rows, sum_samples

MODES = ["zeros", "circular", "reflect", "replicate"]


@st.composite
def convolutions(draw):
    """A convolution and its input, of any geometry that torch takes."""
    axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    each = st.tuples(*[st.integers(1, 3)] * axes)
    kernel, dilation, stride = draw(each), draw(each), draw(each)
    mode = draw(st.sampled_from(MODES))
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(*[st.integers(0, 2)] * axes)))
    if padding == "same":
        stride = (1,) * axes
    space = [draw(st.integers(d * (k - 1) + 1 + 4, d * (k - 1) + 7)) for d, k in zip(dilation, kernel, strict=True)]
    make = nn.Conv1d if axes == 1 else nn.Conv2d
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "padding_mode": mode}
    convolution = make(2 * groups, 2 * groups, kernel, bias=False, **geometry)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    x = torch.randn(3, 2 * groups, *space, generator=generator, dtype=torch.float64)
    return convolution.double(), x


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(convolutions())
def test_the_rows_are_what_the_kernel_multiplies(drawn):
    convolution, x = drawn
    groups = convolution.groups
    rows = patch_rows(x, convolution)
    rows = rows if groups > 1 else rows.unsqueeze(0)
    kernels = convolution.weight.detach().flatten(1).unflatten(0, (groups, -1))
    output = torch.cat(list(rows @ kernels.mT), dim=1)  # [n * positions, c_out]
    assert_close(output, convolution(x).detach().movedim(1, -1).flatten(0, -2))


@given(convolutions(), st.booleans())
def test_the_sum_of_windows_is_the_sum_of_the_rows(drawn, channels_last):
    convolution, x = drawn
    if channels_last and x.dim() == 4:
        x = x.to(memory_format=torch.channels_last)
    assume(x.numel())
    assert_close(PatchSums()(x, convolution), patch_rows(x, convolution).sum(-2).flatten())


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_sum_over_samples_keeps_the_order_of_the_axes(memory_format):
    x = torch.randn(5, 2, 3, 4, dtype=torch.float64).contiguous(memory_format=memory_format)
    assert_close(sum_samples(x, SumOfRows()), x.sum(0))


def test_half_precision_is_summed_in_single_precision():
    x = torch.ones(5000, 2, dtype=torch.bfloat16)
    assert_close(sum_samples(x, SumOfRows()), torch.full((2,), 5000.0))
