import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from evabench.optimizers.mfac.gradient_window import replace_inner_products_, replace_row_, solve_newest
from tests import dense

KEEP, WRITE = torch.tensor(True), torch.tensor(False)


def window(m, d, seed):
    return torch.randn(m, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(1, 6), st.integers(1, 8), st.floats(1e-3, 10.0), st.integers(0, 9))
def test_the_direction_equals_the_dense_solve(m, d, damping, seed):
    G = window(m, d, seed)
    newest = torch.tensor(seed % m)
    found = solve_newest(G @ G.T, newest, damping, 1e-16)
    assert_close(G.T @ found.values, dense.solve(G.T @ G / m, G[newest], damping))
    assert not found.escalated


def test_rows_that_are_still_zero_count_in_the_mean_only():
    G = window(2, 5, 0)
    padded = torch.cat((G, torch.zeros(6, 5, dtype=torch.float64)))
    found = solve_newest(padded @ padded.T, torch.tensor(1), 0.1, 1e-16)
    assert_close(padded.T @ found.values, dense.solve(G.T @ G / 8, G[1], 0.1))


def test_inner_products_that_rounding_made_indefinite_get_more_damping():
    K = torch.tensor([[1.0, 1.001], [1.001, 1.0]], dtype=torch.float64)
    found = solve_newest(K, torch.tensor(0), 1e-9, 1e-3)
    assert found.escalated
    assert not found.failed
    assert found.values.isfinite().all()


def test_inner_products_that_are_not_finite_fail():
    assert solve_newest(torch.full((2, 2), torch.nan, dtype=torch.float64), torch.tensor(0), 1e-3, 1e-7).failed


def test_a_row_is_replaced_and_returned():
    rows = window(3, 4, 0)
    before, new = rows.clone(), torch.ones(4, dtype=torch.float64)
    assert torch.equal(replace_row_(rows, torch.tensor(1), new, WRITE), new)
    assert torch.equal(rows, torch.stack((before[0], new, before[2])))


def test_a_row_that_is_kept_does_not_see_what_is_not_finite():
    rows = window(3, 4, 0)
    before = rows.clone()
    assert torch.equal(replace_row_(rows, torch.tensor(1), torch.full((4,), torch.nan), KEEP), before[1])
    assert torch.equal(rows, before)


def test_inner_products_stay_symmetric():
    G = window(3, 4, 0)
    K = G @ G.T
    G[2] = 1.0
    replace_inner_products_(K, torch.tensor(2), G @ G[2], WRITE)
    assert_close(K, G @ G.T)
