import math

from evabench.stats.time_to_target import median_seconds, seconds_to_target, speed_up


def test_seconds_are_steps_times_the_amortised_step_time_and_a_miss_stays_a_miss():
    seconds = seconds_to_target({1: 100, 2: None, 3: 300}, 0.02)
    assert seconds == {1: 2.0, 2: None, 3: 6.0}
    assert median_seconds(seconds) == 6.0
    assert median_seconds({1: None, 2: None, 3: 6.0}) == math.inf


def test_misses_are_infinite_zero_or_counted_at_both_ends():
    base = {1: 8.0, 2: None, 3: 4.0, 4: None}
    arm = {1: 4.0, 2: 1.0, 3: None, 4: None}
    ratio = speed_up(base, arm)
    assert ratio is not None
    assert ratio.ratios == (2.0, math.inf, 0.0)
    assert (ratio.num_base_missed, ratio.num_arm_missed, ratio.num_both_missed) == (1, 1, 1)
    assert (ratio.num_seeds, ratio.num_both_hit, ratio.estimate) == (4, 1, 2.0)


def test_seeds_that_neither_arm_reached_pull_both_bounds_outward():
    hits = {seed: 2.0 for seed in range(8)}
    clear = speed_up({**hits}, dict.fromkeys(range(8), 1.0))
    both = speed_up({**hits, 6: None, 7: None}, {**dict.fromkeys(range(8), 1.0), 6: None, 7: None})
    assert clear is not None
    assert both is not None
    assert (clear.lower_bound(0.05), clear.upper_bound(0.05)) == (2.0, 2.0)
    assert (both.lower_bound(0.05), both.upper_bound(0.05)) == (0.0, math.inf)
    assert (both.interval.low, both.interval.high, both.estimate) == (0.0, math.inf, 2.0)


def test_only_seeds_with_both_runs_are_paired():
    ratio = speed_up({1: 4.0, 2: 4.0}, {2: 2.0, 3: 1.0})
    assert ratio is not None
    assert ratio.ratios == (2.0,)
    assert speed_up({1: 4.0}, {2: 2.0}) is None


def test_where_no_arm_ever_hits_there_is_no_estimate():
    ratio = speed_up(dict.fromkeys(range(8)), dict.fromkeys(range(8)))
    assert ratio is not None
    assert ratio.estimate is None
    assert (ratio.lower_bound(0.05), ratio.upper_bound(0.05)) == (0.0, math.inf)


def test_below_six_seeds_there_is_no_interval():
    times = {seed: 2.0 for seed in range(5)}
    ratio = speed_up(times, times)
    assert ratio is not None
    assert ratio.interval is None
