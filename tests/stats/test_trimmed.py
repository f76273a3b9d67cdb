import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, trim_mean
from scipy.stats.mstats import winsorize

from evabench.stats.trimmed import trimmed_geometric_mean, trimmed_mean

finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


def test_the_estimate_and_its_error_equal_a_computation_by_hand():
    # n = 10, g = 2, h = 6: the middle is 3 4 5 6 7 8, winsorised 3 3 3 4 5 6 7 8 8 8 about 5.5: sum of squares
    # 2 (3 * 2.5^2 + 1.5^2 + 0.5^2) = 42.5, so SE = sqrt(9 * (42.5 / 9) / (6 * 5)) = sqrt(42.5 / 30).
    mean = trimmed_mean([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])
    assert mean.estimate == 5.5
    assert mean.standard_error == pytest.approx(math.sqrt(42.5 / 30))
    assert mean.degrees_of_freedom == 5
    assert mean.upper_bound(0.05) == pytest.approx(5.5 + 2.015048 * math.sqrt(42.5 / 30), rel=1e-6)


@given(st.lists(finite, min_size=2, max_size=40))
def test_it_agrees_with_the_trimmed_mean_and_the_winsorised_variance_of_scipy(values):
    mean, n = trimmed_mean(values), len(values)
    h = n - 2 * (n // 5)
    spread = np.asarray(winsorize(np.array(values), limits=(0.2 + 1e-9, 0.2 + 1e-9))).std(ddof=1)
    assert mean.estimate == pytest.approx(trim_mean(values, 0.2 + 1e-9), rel=1e-9, abs=1e-6)
    assert mean.standard_error == pytest.approx(math.sqrt((n - 1) / (h * (h - 1))) * spread, rel=1e-9, abs=1e-6)


def test_without_trimming_it_is_the_one_sample_t_interval():
    interval = trimmed_mean([1.0, 2.0, 4.0, 5.0]).interval(0.95)
    reach = t.ppf(0.975, 3) * np.std([1, 2, 4, 5], ddof=1) / 2
    assert (interval.low, interval.high) == pytest.approx((3 - reach, 3 + reach))


@given(st.lists(finite, min_size=2, max_size=30), st.floats(0.001, 0.4))
def test_bounds_of_the_mirrored_sample_are_mirrored(values, alpha):
    mirrored = trimmed_mean([-value for value in values])
    assert trimmed_mean(values).lower_bound(alpha) == pytest.approx(-mirrored.upper_bound(alpha), rel=1e-9, abs=1e-6)


@given(st.lists(finite, min_size=3, max_size=30))
def test_less_error_makes_wider_bounds(values):
    mean = trimmed_mean(values)
    assert mean.lower_bound(0.002) <= mean.lower_bound(0.05) <= mean.estimate <= mean.upper_bound(0.05)


def test_one_disturbed_value_in_nine_does_not_move_the_estimate():
    quiet = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99, 1.03]
    assert trimmed_mean([*quiet[:-1], 30.0]).estimate == trimmed_mean(quiet).estimate


def test_one_value_has_an_estimate_and_no_bounds():
    mean = trimmed_mean([3.0])
    assert (mean.estimate, mean.lower_bound(0.05), mean.upper_bound(0.05)) == (3.0, -math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [1.0, math.inf], [math.nan, 1.0, 2.0]])
def test_no_values_and_misses_are_refused(values):
    with pytest.raises(ValueError, match="trimmed mean needs"):
        trimmed_mean(values)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.95, -0.1])
def test_a_confidence_passed_as_an_error_is_refused(alpha):
    with pytest.raises(ValueError, match="error of one side"):
        trimmed_mean([1.0, 2.0]).lower_bound(alpha)


def test_the_geometric_mean_of_times_ignores_a_burst():
    assert trimmed_geometric_mean([1.0, 2.0, 4.0, 8.0, 1e6]) == pytest.approx(4.0)


@pytest.mark.parametrize("num_values", [9, 14, 29])
@pytest.mark.parametrize("bursts", [False, True])
def test_the_95_percent_interval_covers_about_95_percent(num_values, bursts):
    random, misses, repetitions = np.random.default_rng(num_values), 0, 4000
    for _ in range(repetitions):
        values = random.normal(0, 0.05, num_values)
        if bursts:  # slow runs on either side of a pair, so the truth stays 0
            values += random.choice([0.3, 0.0, -0.3], num_values, p=[0.04, 0.92, 0.04])
        interval = trimmed_mean(list(values)).interval(0.95)
        misses += not interval.low <= 0 <= interval.high
    assert 0.02 < misses / repetitions < 0.065
