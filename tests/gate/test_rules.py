"""The rules of a look, on pairs whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evabench.gate.rules import LOOKS, OWN_TIME, STEP, Test, confirms, look_at
from tests.gate.pairs import pairs_of

ALONE = Test(margins=STEP, num_tests=1)
LAST = LOOKS[-1]


def noisy(slowdown, sd, num_pairs=LAST.num_pairs, seed=0):
    return math.log1p(slowdown) + sd * np.random.default_rng(seed).standard_normal(num_pairs)


def looks(log_ratios, test=ALONE, **pairs):
    """Return the first look that decides, or the last one."""
    made = pairs_of(log_ratios, **pairs)
    for look in LOOKS:
        seen = look_at(made, look, test)
        if seen.answer != "undecided":
            break
    return seen


def test_a_much_slower_head_is_a_regression_at_the_first_look():
    seen = looks(noisy(0.3, 0.03))
    assert (seen.answer, seen.num_pairs) == ("regression", 9)
    assert seen.lower > seen.margin


def test_equal_sides_pass():
    assert looks(noisy(0.0, 0.02)).answer == "pass"


def test_a_faster_head_passes():
    assert looks(noisy(-0.3, 0.03)).answer == "pass"


def test_what_lies_between_the_margins_is_undecided_to_the_end():
    seen = looks(noisy(0.045, 0.04))
    assert (seen.answer, seen.num_pairs) == ("undecided", 29)


def test_a_machine_that_is_too_noisy_is_called_so():
    seen = looks(noisy(0.0, 0.4, seed=2))
    assert seen.answer == "undecided"
    assert seen.too_noisy
    assert seen.smallest_visible > 0.2


def test_a_difference_that_the_clock_cannot_tell_apart_is_no_regression():
    ratios = noisy(0.3, 0.03)
    assert looks(ratios, base_seconds=100e-6).answer == "undecided"
    assert looks(ratios, base_seconds=300e-6).answer == "regression"


def test_more_tests_in_a_gate_need_more_evidence_for_each():
    pairs = pairs_of(noisy(0.1, 0.03, seed=1))
    assert look_at(pairs, LOOKS[0], ALONE).lower > look_at(pairs, LOOKS[0], Test(margins=STEP, num_tests=8)).lower


def test_noise_that_was_stored_takes_the_place_of_the_pairs_own():
    pairs = pairs_of(noisy(0.0, 0.0001))
    assert look_at(pairs, LAST, ALONE).margin == STEP.least
    assert look_at(pairs, LAST, Test(margins=STEP, num_tests=1, stored_noise=0.02)).margin == pytest.approx(0.04)


def test_the_second_visit_of_a_pair_may_be_slower_without_being_noise():
    order = np.where(np.arange(29) % 2 == 0, 0.05, -0.05)
    seen = look_at(pairs_of(order + noisy(0.0, 0.001)), LAST, ALONE)
    assert seen.noise < 0.002


def test_a_change_of_the_optimizers_own_time_has_wider_margins():
    own = Test(margins=OWN_TIME, num_tests=1)
    assert looks(noisy(0.08, 0.05), own).answer == "pass"
    assert looks(noisy(0.4, 0.05), own).answer == "regression"


def test_swapped_folders_that_say_the_same_confirm():
    seen = looks(noisy(0.2, 0.03))
    assert confirms(pairs_of(noisy(0.2, 0.03, 9, seed=5)), seen)


@pytest.mark.parametrize("again", [0.0, -0.2, 0.02])
def test_swapped_folders_that_say_something_else_do_not_confirm(again):
    seen = looks(noisy(0.2, 0.03))
    assert not confirms(pairs_of(noisy(again, 0.03, 9, seed=5)), seen)


log_ratios = st.lists(st.floats(-0.5, 0.5), min_size=29, max_size=29)
every_look = st.sampled_from(LOOKS)


@settings(max_examples=50)
@given(log_ratios, every_look, st.integers(1, 8))
def test_the_margin_is_never_below_the_least_nor_above_the_most(ratios, look, num_tests):
    seen = look_at(pairs_of(ratios), look, Test(margins=STEP, num_tests=num_tests))
    assert STEP.least <= seen.margin <= STEP.most
    assert seen.lower <= seen.slowdown <= seen.upper


@settings(max_examples=50)
@given(log_ratios, every_look, st.floats(0.01, 1.0))
def test_a_slower_head_never_turns_a_regression_into_a_pass(ratios, look, more):
    before = look_at(pairs_of(ratios), look, ALONE)
    after = look_at(pairs_of([d + more for d in ratios]), look, ALONE)
    order = ["pass", "undecided", "regression"]
    assert order.index(after.answer) >= order.index(before.answer)
    assert after.noise == pytest.approx(before.noise, abs=1e-9)  # a change is no noise


@settings(max_examples=50)
@given(log_ratios, every_look)
def test_an_answer_is_a_pass_or_a_regression_and_never_depends_on_later_pairs(ratios, look):
    first = look_at(pairs_of(ratios[: look.num_pairs]), look, ALONE)
    assert look_at(pairs_of(ratios), look, ALONE) == first
    assert not (first.lower > math.log1p(first.margin) and first.upper < math.log1p(STEP.most))
