import math

import pytest

from evabench.stats.non_inferiority import paired_difference, relative_margin


def test_accuracies_differ_in_points_and_positive_is_better():
    difference = paired_difference({1: 91.0, 2: 92.0}, {1: 90.0, 2: 90.5}, "accuracy")
    assert difference is not None
    assert difference.differences == (1.0, 1.5)


def test_a_lower_loss_is_better_and_is_compared_as_a_ratio():
    difference = paired_difference({1: 0.5}, {1: 1.0}, "loss")
    assert difference is not None
    assert difference.estimate == pytest.approx(math.log(2))
    assert difference.lower_bound(0.05) == -math.inf


def test_an_arm_that_is_reliably_a_little_worse_is_not_worse_by_the_margin():
    base = {seed: 1.0 + 0.01 * seed for seed in range(8)}
    arm = {seed: loss * (1.01 + 0.001 * (seed % 3)) for seed, loss in base.items()}
    difference = paired_difference(arm, base)
    assert difference is not None
    assert difference.interval.high < 0  # worse, without doubt
    assert difference.is_not_worse_by(relative_margin(0.02))
    assert not difference.is_not_worse_by(relative_margin(0.005))


def test_noise_does_not_prove_that_an_arm_is_no_worse():
    difference = paired_difference({0: 1.0, 1: 1.4, 2: 0.7}, {0: 1.1, 1: 1.0, 2: 1.0})
    assert difference is not None
    assert not difference.is_not_worse_by(0.02)


def test_without_a_common_seed_there_is_no_difference():
    assert paired_difference({1: 1.0}, {2: 1.0}) is None


def test_a_margin_of_nothing_is_refused():
    difference = paired_difference({1: 1.0}, {1: 1.0})
    assert difference is not None
    with pytest.raises(ValueError, match="margin must be above 0"):
        difference.is_not_worse_by(0.0)


def test_losses_of_any_sign_are_compared_by_their_difference_and_never_by_a_ratio():
    base = {seed: -2.0 + 0.1 * seed for seed in range(8)}
    arm = {seed: loss + 0.01 for seed, loss in base.items()}
    difference = paired_difference(arm, base, "signed_loss")
    assert difference is not None
    assert difference.estimate == pytest.approx(-0.01)
    assert difference.is_not_worse_by(0.02)
    with pytest.raises(ValueError, match="0 or below has no ratio"):
        paired_difference(arm, base)
