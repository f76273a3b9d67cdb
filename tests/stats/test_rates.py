"""Rates from curves whose rate is known, and the choice among learning rates."""

import math

import pytest

from evabench.stats.rates import Fall, best_rate, contraction, steps_to_a_tenth


def fall(rho, steps=range(0, 101, 10), burn_in=1.0):
    """A curve with the contraction rho, whose first half has fallen faster."""
    half = steps[-1] / 2
    excess = tuple(rho ** (2 * step) * burn_in ** (min(step, half) / half) for step in steps)
    return Fall(steps=tuple(steps), excess=excess)


DIVERGED = Fall(steps=(0, 3), excess=(1.0, None))
WILD = Fall(steps=(0, 1, 3), excess=(1.0, 1e3, 1e13))


def test_the_contraction_is_that_of_the_distance_and_the_first_half_does_not_count():
    assert contraction(fall(0.9)) == pytest.approx(0.9)
    assert contraction(fall(0.9, burn_in=1e-4)) == pytest.approx(0.9)


def test_a_curve_that_did_not_fall_has_no_contraction():
    assert contraction(DIVERGED) is None
    assert contraction(WILD) is None
    assert contraction(fall(1.01)) is None


def test_the_rate_is_chosen_once_for_all_seeds_and_the_tried_ones_are_counted():
    grids = {seed: {0.5: fall(0.95), 1.0: fall(0.9 + seed / 1000), 2.0: fall(0.99)} for seed in range(6)}
    best = best_rate(grids)
    assert (best.multiple, best.num_tried, best.at_edge) == (1.0, 3, False)
    assert best.contraction == pytest.approx(0.9025)
    assert (best.interval.low, best.interval.high) == pytest.approx((0.9, 0.905))
    assert best.interval.level >= 0.95


def test_a_rate_that_diverges_in_one_seed_is_not_chosen():
    grids = {0: {0.5: fall(0.95), 9.0: fall(0.5)}, 1: {0.5: fall(0.95), 9.0: DIVERGED}}
    assert best_rate(grids).multiple == 0.5
    assert best_rate({0: {9.0: DIVERGED}}) is None


def test_a_transient_does_not_win_over_what_brings_the_loss_further_down():
    slow_but_low, steep_but_high = fall(0.99, burn_in=1e-9), fall(0.97)
    assert contraction(steep_but_high) < contraction(slow_but_low)
    assert best_rate({0: {1.0: slow_but_low, 2.0: steep_but_high}}).multiple == 1.0


def test_few_seeds_have_no_interval_and_an_edge_is_told():
    best = best_rate({seed: {1.0: fall(0.9), 2.0: fall(0.95)} for seed in range(5)})
    assert best.interval is None
    assert best.at_edge


def test_steps_to_a_tenth_of_the_loss():
    assert 0.9 ** (2 * steps_to_a_tenth(0.9)) == pytest.approx(0.1)
    assert steps_to_a_tenth(1.0) == math.inf
