"""The two noises of a time to target, and the strongest of several baselines: bounds that never say too much."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.interval import Exact, Unbounded
from evabench.stats.paired import paired_ratio
from evabench.stats.strongest import Greatest, Least
from evabench.stats.two_noises import TimeRatio, steps_ratio

HITS = st.none() | st.integers(1, 50).map(lambda evaluation: (4 * (evaluation - 1), 4 * evaluation))
ARMS = st.lists(st.tuples(HITS, HITS), min_size=1, max_size=24)
ALPHAS = st.floats(0.001, 0.2)
TIMES = st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)), min_size=2, max_size=12)


def ratio_of(pairs):
    base, arm = zip(*pairs, strict=True)
    return steps_ratio(dict(enumerate(base)), dict(enumerate(arm)))


def step_time_of(times):
    base, arm = zip(*times, strict=True)
    return paired_ratio(dict(enumerate(base)), dict(enumerate(arm)))


@given(ARMS, ALPHAS)
def test_the_cadence_only_widens_what_the_hits_say(pairs, alpha):
    ratio = ratio_of(pairs)
    assert ratio.lower_bound(alpha) <= ratio.at_hits.lower_bound(alpha)
    assert ratio.upper_bound(alpha) >= ratio.at_hits.upper_bound(alpha)


@given(ARMS, TIMES, ALPHAS)
def test_the_bound_of_a_time_is_the_product_of_both_at_half_the_error_each(pairs, times, alpha):
    steps, step_time = ratio_of(pairs), step_time_of(times)
    time = TimeRatio(steps=steps, step_time=step_time, step_time_estimate=step_time.estimate)
    product = steps.lower_bound(alpha / 2) * step_time.lower_bound(alpha / 2)
    if not math.isnan(product):
        assert time.lower_bound(alpha) == pytest.approx(product)
    assert time.lower_bound(alpha) <= time.upper_bound(alpha)
    assert not math.isnan(time.upper_bound(alpha))


@given(ARMS, TIMES, ALPHAS)
def test_swapping_arm_and_base_turns_the_bounds_round(pairs, times, alpha):
    def time(pairs, times):
        step_time = step_time_of(times)
        return TimeRatio(steps=ratio_of(pairs), step_time=step_time, step_time_estimate=step_time.estimate)

    there, back = time(pairs, times), time([pair[::-1] for pair in pairs], [pair[::-1] for pair in times])
    lower = there.lower_bound(alpha)
    if 0 < lower < math.inf:
        assert back.upper_bound(alpha) == pytest.approx(1 / lower)


def test_a_base_that_misses_is_infinite_and_both_missing_counts_at_both_ends():
    hit = (4, 8)
    never = ratio_of([(None, hit)] * 8)
    assert never.lower_bound(0.05) == math.inf
    assert ratio_of([(hit, None)] * 8).upper_bound(0.05) == 0
    both = ratio_of([(None, None)] * 8)
    assert (both.lower_bound(0.05), both.upper_bound(0.05)) == (0, math.inf)


def test_without_a_pair_of_visits_there_is_no_bound_of_a_time():
    time = TimeRatio(steps=ratio_of([((4, 8), (4, 8))] * 8), step_time=Unbounded(), step_time_estimate=1.0)
    assert (time.lower_bound(0.05), time.upper_bound(0.05)) == (-math.inf, math.inf)


def test_too_few_seeds_have_no_interval():
    assert ratio_of([((4, 8), (4, 8))] * 5).interval is None
    assert ratio_of([((4, 8), (4, 8))] * 6).interval.level == 0.95


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=5), ALPHAS)
def test_the_strongest_of_counted_quantities_is_the_least_or_the_greatest(values, alpha):
    least, greatest = Least([Exact(v) for v in values]), Greatest([Exact(v) for v in values])
    assert least.lower_bound(alpha) == least.upper_bound(alpha) == min(values)
    assert greatest.lower_bound(alpha) == greatest.upper_bound(alpha) == max(values)


@given(st.lists(ARMS, min_size=2, max_size=4), ALPHAS)
def test_against_every_baseline_is_harder_than_against_any_one(several, alpha):
    members = [ratio_of(pairs) for pairs in several]
    assert Least(members).lower_bound(alpha) <= min(one.lower_bound(alpha) for one in members)
    assert Least(members).upper_bound(alpha) >= min(one.upper_bound(alpha) for one in members)
