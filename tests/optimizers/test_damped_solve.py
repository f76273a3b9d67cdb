"""Damped solves against the dense ones, and what becomes of factors that do not factorise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.kfac import damped_solve
from evabench.optimizers.kfac.damped_solve import (
    damped_cholesky,
    damped_eigen,
    inverse_from,
    prefers_solves,
    solve_right,
)
from evabench.optimizers.kfac.factor_inverse import invert_, multiply, multiply_both, multiply_right
from evabench.optimizers.kfac.split_damping import split_damping
from tests import dense
from tests.optimizers.models import low_rank_factor

sizes = st.integers(1, 6)


def number(value, dtype=torch.float64):
    return torch.tensor(value, dtype=dtype)


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 8), st.floats(1e-3, 1e2), st.integers(0, 9), st.sampled_from(["cholesky", "eigh"]))
def test_both_sides_equal_the_dense_solve_with_damped_factors(d_out, d_in, rank, damping, seed, factorisation):
    A, B = low_rank_factor(d_in, rank, seed), low_rank_factor(d_out, rank, seed + 1)
    G = random(d_out, d_in, seed=seed)
    damping_A, damping_B = split_damping(A, B, damping, "absolute")
    curvature = torch.kron(B + damping_B * torch.eye(d_out), A + damping_A * torch.eye(d_in))
    expected = dense.solve(curvature, G, 0.0)  # badly conditioned where the rank is low and the damping small
    for refresh_every in (1, 100):  # solves and inverses
        state = {"A": A, "B": B}
        invert_(state, "A", damping_A, factorisation, other=d_out, refresh_every=refresh_every)
        invert_(state, "B", damping_B, factorisation, other=d_in, refresh_every=refresh_every)
        assert_close(multiply_both(G, state), expected, rtol=1e-5, atol=1e-8 * float(expected.abs().max()))


@settings(deadline=None)
@given(st.integers(1, 3), sizes, sizes, st.integers(0, 9), st.integers(1, 9))
def test_every_group_has_its_own_solve(groups, d_out, d_in, seed, refresh_every):
    A = torch.stack([low_rank_factor(d_in, 3, seed + g) for g in range(groups)])
    G, damping = random(groups, d_out, d_in, seed=seed), 0.1 + torch.arange(groups, dtype=torch.float64)
    state = {"A": A}
    invert_(state, "A", damping, "cholesky", other=d_out, refresh_every=refresh_every)
    expected = torch.stack([G[g] @ torch.linalg.inv(A[g] + damping[g] * torch.eye(d_in)) for g in range(groups)])
    assert_close(multiply_right(G, state, "A"), expected)


def test_the_damping_never_enters_the_factor():
    A = low_rank_factor(4, 9, 0)
    before = A.clone()
    damped_cholesky(A, number(0.03))
    inverse_from(damped_eigen(A), number(0.03))
    assert_close(A, before, rtol=0, atol=0)


def test_a_factorisation_in_the_memory_of_the_last_one_is_the_same():
    L = damped_cholesky(low_rank_factor(4, 9, 0), number(0.1)).L
    again = damped_cholesky(low_rank_factor(4, 9, 1), number(0.1), L).L
    assert again.data_ptr() == L.data_ptr()
    assert_close(again, torch.linalg.cholesky(low_rank_factor(4, 9, 1) + 0.1 * torch.eye(4)))


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_a_factor_of_low_rank_factorises_in_float32_at_any_scale(scale):
    A = scale * low_rank_factor(200, 3, 0, torch.float32)
    damping_A, _ = split_damping(A, A, 1e-12, "relative")
    L, escalated = damped_cholesky(A, damping_A)
    assert solve_right(torch.ones(2, 200), L).isfinite().all()
    assert not escalated


def test_what_does_not_factorise_counts_by_its_diagonal_and_is_reported():
    sound = low_rank_factor(3, 9, 0)
    indefinite = torch.tensor([[1.0, 4.0, 0.0], [4.0, 1.0, 0.0], [0.0, 0.0, -0.5]], dtype=torch.float64)
    L, escalated = damped_cholesky(torch.stack([sound, indefinite]), torch.full((2,), 0.1, dtype=torch.float64))
    assert escalated.tolist() == [False, True]
    assert_close(L[0] @ L[0].T, sound + 0.1 * torch.eye(3))
    assert_close(L[1], torch.diag(number([1.1, 1.1, 0.1]).sqrt()))


@pytest.mark.parametrize("scale", ["absolute", "relative"])
@pytest.mark.parametrize("size", [0.0, 1e-40])
@pytest.mark.parametrize("factorisation", ["cholesky", "eigh"])
def test_a_factor_of_zero_or_underflow_gives_finite_directions(scale, size, factorisation):
    state = {"A": torch.eye(3), "B": size * torch.eye(2)}
    for name, damping in zip(state.copy(), split_damping(state["A"], state["B"], 0.03, scale), strict=True):
        invert_(state, name, damping, factorisation, other=3, refresh_every=1)
    assert multiply_both(torch.ones(2, 3), state).isfinite().all()


def test_a_decomposition_that_fails_is_tried_again_with_more_on_the_diagonal_then_replaced_by_the_diagonal(monkeypatch):
    A, shifts = low_rank_factor(3, 9, 0), []

    def fail(F):
        shifts.append(float((F - A / A.trace() * 3).trace()))
        raise torch.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(torch.linalg, "eigh", fail)
    w, Q, num_failed, failed = damped_eigen(A)
    assert failed
    assert num_failed == len(damped_solve.SHIFTS) == len(shifts)
    assert shifts[0] < shifts[1] < shifts[2]
    assert_close((w, Q), (A.diagonal(), torch.eye(3, dtype=torch.float64)))


@pytest.mark.parametrize("width", [16, 17, 785])
def test_a_product_with_aligned_rows_is_the_product(width):
    left, right = random(5, 7), random(7, width)
    product = multiply(left, right)
    assert_close(product, left @ right)
    assert product.stride(0) % 16 == 0


def test_tall_factors_and_frequent_refreshes_are_solved_with():
    assert prefers_solves(4609, 512, 10)
    assert prefers_solves(1000, 785, 1)
    assert not prefers_solves(1000, 785, 10)
