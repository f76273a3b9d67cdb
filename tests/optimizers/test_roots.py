import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.shampoo import roots
from evabench.optimizers.shampoo.roots import eigh_roots, inverse_roots, newton_roots
from tests import dense

each_method = pytest.mark.parametrize("method", ["eigh", "newton"])


def factor(d, rank, seed, dtype=torch.float64):
    rows = torch.randn(rank, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return rows.T @ rows


@given(st.integers(1, 6), st.integers(1, 8), st.sampled_from([1, 2, 3, 4, 6]), st.integers(0, 9))
def test_a_root_by_eigh_equals_the_dense_fractional_power(d, rank, order, seed):
    F = torch.stack([factor(d, rank, seed), factor(d, rank + 1, seed + 1)])
    expected = torch.stack([dense.power(each, -1 / order, 1e-6) for each in F])
    assert_close(eigh_roots(F, order, 1e-6).roots, expected, rtol=1e-7, atol=1e-7)


@given(st.integers(1, 6), st.integers(1, 8), st.sampled_from([1, 2, 3, 4, 6]), st.integers(0, 9))
def test_a_root_by_newton_equals_the_dense_fractional_power_of_the_damped_factor(d, rank, order, seed):
    F = torch.stack([factor(d, rank, seed), factor(d, rank + 1, seed + 1)])
    damped = [each + 1e-4 * each.norm() * torch.eye(d, dtype=each.dtype) for each in F]
    expected = torch.stack([dense.power(each, -1 / order, 1e-12) for each in damped])
    found = newton_roots(F, order, 1e-4)
    assert not found.failed.any()
    assert_close(found.roots, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("order", [2, 4, 6])
def test_newton_stays_close_to_the_power_in_single_precision(order):
    F = factor(40, 15, 0, torch.float32)
    found = newton_roots(F.unsqueeze(0), order, 1e-5)
    damped = F.double() + 1e-5 * F.double().norm() * torch.eye(40, dtype=torch.float64)
    expected = dense.power(damped, -1 / order, 1e-12)
    assert not found.failed.any()
    assert (found.roots[0] - expected).norm() < 0.02 * expected.norm()


@each_method
def test_the_root_of_zero_is_the_identity(method):
    found = inverse_roots(torch.zeros(2, 3, 3), 4, 1e-6, method)
    assert_close(found.roots, torch.eye(3).expand(2, 3, 3))
    assert not found.failed.any()


@each_method
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_floor_is_relative_so_a_scale_passes_through(method, scale):
    F = factor(5, 2, 0).unsqueeze(0)
    expected = inverse_roots(F, 4, 1e-6, method).roots * scale**-0.25
    assert_close(inverse_roots(scale * F, 4, 1e-6, method).roots, expected)


@each_method
def test_dead_units_leave_a_finite_root_in_float32(method):
    F = 1e-9 * factor(60, 10, 0, torch.float32)
    F[20:] = 0
    F[:, 20:] = 0
    found = inverse_roots(F.unsqueeze(0), 4, 1e-6, method)
    assert found.roots.isfinite().all()
    assert not found.failed.any()


@each_method
def test_a_factor_that_has_no_root_fails_alone_in_its_batch(method):
    good = factor(3, 3, 0)
    found = inverse_roots(torch.stack([good, torch.full_like(good, torch.nan), good]), 4, 1e-6, method)
    assert found.failed.tolist() == [False, True, False]
    assert_close(found.roots[[0, 2]], inverse_roots(torch.stack([good, good]), 4, 1e-6, method).roots)


def test_the_attempts_to_decompose_a_factor_are_counted():
    assert eigh_roots(torch.full((1, 3, 3), torch.nan), 4, 1e-6).num_failed_attempts == len(roots.SHIFTS)
