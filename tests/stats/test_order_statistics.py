import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.order_statistics import (
    lower_rank,
    median_interval,
    median_lower_bound,
    median_upper_bound,
    probability_below,
)


@pytest.mark.parametrize(
    ("num_values", "ends", "level"),
    [
        (6, (1, 6), 1 - 2 / 64),
        (7, (1, 7), 1 - 2 / 128),
        (8, (1, 8), 1 - 2 / 256),
        (9, (2, 8), 1 - 20 / 512),
        (12, (3, 10), 1 - 2 * (1 + 12 + 66) / 4096),
    ],
)
def test_the_interval_of_a_median_is_the_narrowest_pair_and_says_its_true_level(num_values, ends, level):
    interval = median_interval(range(num_values, 0, -1))  # unsorted input: x_(j) is j
    assert (interval.low, interval.high) == ends
    assert interval.level == level >= 0.95


@pytest.mark.parametrize("num_values", range(6))
def test_below_six_values_there_is_no_95_percent_interval(num_values):
    assert median_interval([1.0] * num_values) is None


@pytest.mark.parametrize(("num_values", "rank"), [(4, None), (5, 1), (7, 1), (8, 2), (10, 2), (11, 3)])
def test_the_one_sided_bound_at_5_percent_takes_the_largest_rank_that_keeps_it(num_values, rank):
    assert lower_rank(num_values, 0.05) == rank


def test_eight_seeds_give_the_second_value_and_shared_error_the_first():
    values = [5, 3, 8, 1, 7, 2, 6, 4]
    assert (median_lower_bound(values, 0.05), median_upper_bound(values, 0.05)) == (2, 7)
    assert (median_lower_bound(values, 0.05 / 4), median_upper_bound(values, 0.05 / 4)) == (1, 8)


def test_where_no_rank_keeps_the_level_the_bounds_are_infinite():
    assert median_lower_bound([1.0, 2.0, 3.0, 4.0], 0.05) == -math.inf
    assert median_upper_bound([1.0, 2.0, 3.0, 4.0], 0.05) == math.inf


def test_misses_take_part_as_infinite_values():
    values = [0.0, 0.0, 1.5, 2.0, 2.5, math.inf, math.inf, math.inf]
    assert (median_lower_bound(values, 0.05), median_upper_bound(values, 0.05)) == (0.0, math.inf)


@given(st.integers(1, 60), st.floats(0.001, 0.49))
def test_the_rank_keeps_the_error_and_the_next_one_breaks_it(num_values, alpha):
    rank = lower_rank(num_values, alpha) or 0
    assert rank == 0 or probability_below(num_values, rank) <= alpha * (1 + 1e-9)
    assert probability_below(num_values, rank + 1) > alpha


def test_the_level_holds_for_a_skewed_distribution():
    random, median, repetitions = np.random.default_rng(0), math.log(2), 4000
    inside = 0
    for _ in range(repetitions):
        interval = median_interval(list(random.exponential(1, 9)))
        inside += interval.low <= median <= interval.high
    assert inside / repetitions == pytest.approx(1 - 20 / 512, abs=0.012)


@pytest.mark.parametrize("num_values", [1, 6, 61, 1030])
def test_probabilities_are_those_of_the_binomial_distribution_to_the_last_bit(num_values):
    for rank in range(0, num_values + 2, 1 + num_values // 20):
        below = sum(math.comb(num_values, i) for i in range(min(rank, num_values + 1)))
        assert probability_below(num_values, rank) == below / 2**num_values
