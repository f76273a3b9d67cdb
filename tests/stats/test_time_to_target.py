import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.records.convergence import Evaluation
from evabench.stats.time_to_target import Goal, first_hit, median_seconds, seconds_to_target, speed_up, steps_to_target


def curve(*losses, every=10):
    return [
        Evaluation(step=every * (i + 1), seconds=float(i + 1), validation_loss=loss) for i, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("losses", "steps"),
    [
        ((0.9, 0.5, 0.4), 20),  # the first of two in a row, at the target is enough
        ((0.9, 0.4, 0.6, 0.5, 0.5), 40),  # a lucky evaluation is none
        ((0.9, 0.8, 0.4), None),  # a first hit at the last evaluation
        ((0.4, None, 0.4), None),  # not finite is not at the target
        ((None, 0.4, 0.3), 20),
        ((0.6, 0.7), None),
        ((), None),
    ],
)
def test_a_hit_is_the_first_of_two_consecutive_evaluations_at_the_target(losses, steps):
    assert steps_to_target(curve(*losses), Goal(0.5)) == steps


def test_the_untrained_net_cannot_hit():
    untrained = Evaluation(step=0, seconds=0.0, validation_loss=0.1)
    assert steps_to_target([untrained, *curve(0.1, 0.9)], Goal(0.5)) is None


def test_the_hit_knows_the_runs_own_clock():
    hit = first_hit(curve(0.9, 0.5, 0.4), Goal(0.5))
    assert hit is not None
    assert hit.seconds == 2.0


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_an_easier_target_is_never_hit_later(losses, one, other):
    easy, hard = max(one, other), min(one, other)
    hard_steps, easy_steps = (steps_to_target(curve(*losses), Goal(value)) for value in (hard, easy))
    assert hard_steps is None or (easy_steps is not None and easy_steps <= hard_steps)


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


def accuracies(*values):
    return [
        Evaluation(step=10 * (i + 1), seconds=float(i + 1), validation_loss=1.0, validation_accuracy=value)
        for i, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ((0.5, 0.7, 0.8), 20),  # higher is better, at the target is enough
        ((0.5, 0.8, 0.6, 0.7, 0.9), 40),
        ((0.5, 0.6, 0.8), None),
        ((None, 0.9, 0.9), 20),
        ((0.1, 0.1), None),  # what would hit a loss of 0.7 is far from an accuracy of 0.7
    ],
)
def test_an_accuracy_is_hit_from_below(values, steps):
    assert steps_to_target(accuracies(*values), Goal(0.7, "accuracy")) == steps


def test_a_workload_without_accuracy_never_hits_one():
    assert steps_to_target(curve(0.9, 0.9), Goal(0.1, "accuracy")) is None
