import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.shampoo.blocks import merge_axes, partition

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("shape", "up_to", "merged"),
    [
        ((6, 6), 128, (6, 6)),
        ((16, 3, 3, 3), 128, (16, 27)),
        ((64, 64, 3, 3), 128, (64, 64, 9)),
        ((64, 64, 3, 3), 1, (64, 64, 3, 3)),
        ((64, 32, 1, 1), 1, (64, 32)),
        ((8, 1, 5), 1, (8, 5)),
        ((1, 4), 1, (1, 4)),
    ],
)
def test_axes_of_a_kernel_are_merged_from_the_last_and_a_matrix_stays_one(shape, up_to, merged):
    assert merge_axes(shape, up_to) == merged


@given(shapes, st.integers(1, 8), st.none() | st.integers(1, 4))
def test_blocks_cover_a_weight_exactly_once(shape, merge_up_to, block_size):
    cut = partition(shape, merge_up_to=merge_up_to, block_size=block_size)
    counts = torch.zeros(cut.shape)
    for block in cut.blocks:
        counts[block] += 1
    assert_close(counts, torch.ones(cut.shape))


@given(shapes, st.integers(1, 4))
def test_no_block_is_longer_than_asked_for_and_none_is_needlessly_short(shape, block_size):
    cut = partition(shape, merge_up_to=1, block_size=block_size)
    for axis, length in enumerate(cut.shape):
        sizes = {block[axis].stop - block[axis].start for block in cut.blocks}
        assert max(sizes) <= block_size
        assert max(sizes) - min(sizes) <= 1
        assert len({block[axis].start for block in cut.blocks}) == -(-length // block_size)


def test_factors_are_views_of_the_flat_tensor():
    cut = partition((4, 6), merge_up_to=1, block_size=3)
    flat = torch.zeros(cut.num_factor_elements)
    for block in cut.factors(flat):
        for factor in block:
            factor += 1
    assert_close(flat, torch.ones_like(flat))
