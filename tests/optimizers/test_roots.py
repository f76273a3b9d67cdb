import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers import roots
from evabench.optimizers.roots import inverse_root
from tests import dense


def factor(d, rank, seed, dtype=torch.float64):
    rows = torch.randn(rank, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return rows.T @ rows


@given(st.integers(1, 6), st.integers(1, 8), st.sampled_from([2, 4]), st.integers(0, 9))
def test_the_root_equals_the_dense_fractional_power(d, rank, order, seed):
    F = factor(d, rank, seed)
    assert_close(inverse_root(F, order, 1e-6).root, dense.power(F, -1 / order, 1e-6), rtol=1e-7, atol=1e-7)


def test_the_root_of_zero_is_the_identity():
    assert_close(inverse_root(torch.zeros(3, 3), 4, 1e-6).root, torch.eye(3))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_floor_is_relative_so_a_scale_passes_through(scale):
    F = factor(5, 2, 0)
    assert_close(inverse_root(scale * F, 4, 1e-6).root, inverse_root(F, 4, 1e-6).root * scale**-0.25)


def test_dead_units_leave_a_finite_root_in_float32():
    F = 1e-9 * factor(60, 10, 0, torch.float32)
    F[20:] = 0
    F[:, 20:] = 0
    assert inverse_root(F, 4, 1e-6).root.isfinite().all()


def test_a_factor_that_cannot_be_decomposed_gives_no_root_and_says_how_often_it_was_tried():
    root, num_failed_attempts = inverse_root(torch.full((3, 3), torch.nan), 4, 1e-6)
    assert root is None
    assert num_failed_attempts == len(roots.SHIFTS)
