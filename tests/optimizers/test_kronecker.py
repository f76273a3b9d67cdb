import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.kronecker import (
    apply_both_sides,
    damped_inverse,
    mean_eigenvalue,
    split_damping,
    sum_outer_products,
)
from tests import dense


def factor(d, rank, seed, dtype=torch.float64):
    rows = torch.randn(rank, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return sum_outer_products(rows) / rank


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 8), st.floats(1e-3, 1e2), st.integers(0, 9))
def test_both_sides_equal_the_dense_solve_with_damped_factors(d_out, d_in, rank, damping, seed):
    A, B = factor(d_in, rank, seed), factor(d_out, rank, seed + 1)
    G = torch.randn(d_out, d_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    damping_A, damping_B = split_damping(A, B, damping, "absolute")
    P = apply_both_sides(G, damped_inverse(A, damping_A).inverse, damped_inverse(B, damping_B).inverse)
    curvature = torch.kron(B + damping_B * torch.eye(d_out), A + damping_A * torch.eye(d_in))
    expected = dense.solve(curvature, G, 0.0)  # badly conditioned where the rank is low and the damping small
    assert_close(P, expected, rtol=1e-5, atol=1e-8 * float(expected.abs().max()))


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_the_split_dampings_multiply_to_gamma_and_are_equal_shares_of_their_factors(scale):
    A, B = factor(4, 9, 0), 1e-6 * factor(3, 9, 1)
    damping_A, damping_B = split_damping(A, B, 0.03, scale)
    unit = mean_eigenvalue(A) * mean_eigenvalue(B) if scale == "relative" else 1.0
    assert_close(damping_A * damping_B, torch.as_tensor(0.03 * unit, dtype=torch.float64))
    assert_close(damping_A / mean_eigenvalue(A), damping_B / mean_eigenvalue(B))


def test_the_damping_never_enters_the_running_factor():
    A = factor(4, 9, 0)
    before = A.clone()
    damped_inverse(A, torch.tensor(0.03, dtype=torch.float64))
    assert_close(A, before, rtol=0, atol=0)


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_a_factor_of_low_rank_factorises_in_float32_at_any_scale(scale):
    A = scale * factor(200, 3, 0, torch.float32)
    damping_A, _ = split_damping(A, A, 1e-12, "relative")
    inverse, _, failed = damped_inverse(A, damping_A)
    assert inverse.isfinite().all()
    assert not failed


def test_a_failed_factorisation_is_redone_with_more_damping_and_reported():
    indefinite = torch.diag(torch.tensor([1.0, 1.0, -0.5], dtype=torch.float64))
    inverse, escalated, failed = damped_inverse(indefinite, torch.tensor(0.1, dtype=torch.float64))
    assert escalated
    assert not failed
    assert_close(inverse, torch.linalg.inv(indefinite + 10 * torch.eye(3)))


@pytest.mark.parametrize("scale", ["absolute", "relative"])
@pytest.mark.parametrize("size", [0.0, 1e-40])
def test_a_factor_of_zero_or_underflow_gives_finite_inverses(scale, size):
    A, B = torch.eye(3), size * torch.eye(2)
    for F, damping in zip((A, B), split_damping(A, B, 0.03, scale), strict=True):
        assert damped_inverse(F, damping).inverse.isfinite().all()


@pytest.mark.parametrize("d", [1, 256, 257, 1001])
def test_outer_products_summed_by_halves_equal_one_product(d):
    rows = torch.randn(7, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    summed = sum_outer_products(rows)
    assert_close(summed, rows.T @ rows)
    assert_close(summed, summed.T, rtol=0, atol=1e-14)
