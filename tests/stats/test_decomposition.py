import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.decomposition import ReachedTarget, decompose


def reached(steps, step_seconds, clocks=None):
    return ReachedTarget(steps=steps, step_seconds=step_seconds, clock_seconds=clocks or {})


def test_without_own_clocks_two_factors_multiply_to_the_time():
    factors = decompose(reached({1: 100, 2: 400}, 0.01), reached({1: 50, 2: 50}, 0.02))
    assert factors is not None
    assert factors.steps_factor == pytest.approx(4.0)  # the geometric mean of 2 and 8
    assert factors.step_time_factor == pytest.approx(0.5)
    assert factors.rest_factor is None
    assert factors.time_factor == pytest.approx(2.0)


def test_with_own_clocks_the_rest_is_what_the_factors_do_not_explain():
    base = reached({1: 100, 2: 100}, 0.01, {1: 1.1, 2: 1.1})
    arm = reached({1: 50, 2: 50}, 0.01, {1: 0.5, 2: 0.5})
    factors = decompose(base, arm)
    assert factors is not None
    assert factors.rest_factor == pytest.approx(1.1)
    assert factors.time_factor == pytest.approx(1.1 / 0.5)


def test_seeds_that_an_arm_missed_are_left_out_and_counted():
    factors = decompose(reached({1: 100, 2: None, 3: 90}, 1.0), reached({1: 50, 2: 50, 3: None, 4: 7}, 1.0))
    assert factors is not None
    assert (factors.num_seeds, factors.num_excluded) == (1, 2)
    assert factors.steps_factor == pytest.approx(2.0)


def test_own_clocks_choose_the_seeds_of_every_factor():
    base = reached({1: 100, 2: 900}, 0.01, {1: 1.0})
    arm = reached({1: 50, 2: 100}, 0.01, {1: 0.5, 2: 1.0})
    factors = decompose(base, arm)
    assert factors is not None
    assert factors.steps_factor == pytest.approx(2.0)
    assert factors.time_factor == pytest.approx(2.0)


def test_seeds_without_two_clocks_are_no_misses():
    base = reached({1: 100, 2: 900}, 0.01, {1: 1.0})
    arm = reached({1: 50, 2: 100}, 0.01, {1: 0.5})
    factors = decompose(base, arm)
    assert factors is not None
    assert (factors.num_seeds, factors.num_excluded) == (1, 0)


def test_where_no_seed_was_reached_by_both_there_is_nothing_to_decompose():
    assert decompose(reached({1: None}, 1.0), reached({1: 5}, 1.0)) is None


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1000), st.floats(0.1, 9), st.floats(0.1, 9)), min_size=1)
)
def test_the_three_factors_always_multiply_to_the_clocks(rows):
    base = reached({i: row[0] for i, row in enumerate(rows)}, 0.02, {i: row[2] for i, row in enumerate(rows)})
    arm = reached({i: row[1] for i, row in enumerate(rows)}, 0.03, {i: row[3] for i, row in enumerate(rows)})
    factors = decompose(base, arm)
    product = 1.0
    for row in rows:
        product *= (row[2] / row[3]) ** (1 / len(rows))
    assert factors is not None
    assert factors.time_factor == pytest.approx(product)
