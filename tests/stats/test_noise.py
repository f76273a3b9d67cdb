"""The noise of a machine from pairs of equal arms: exact on small numbers, right in the median on drawn ones."""

import math
from statistics import median

import numpy as np
import pytest
from scipy.stats import t as student

from evabench.stats.noise import Noise, noise_of
from evabench.stats.trimmed import trimmed_mean


def noise(pair_sd, num_pairs_by_order=(300, 300)):
    """Return a noise whose pair sd is known: of so many pairs that the factor of few ones is 1."""
    return Noise(num_pairs_by_order=num_pairs_by_order, spread=pair_sd)


def test_the_spread_is_that_of_the_absolute_deviations_after_each_orders_median_is_subtracted():
    # Rests: -2 -1 0 1 2 and -4 -1 0 1 4; their absolute values in order: 0 0 1 1 1 1 2 2 4 4, of which the median is 1.
    found = noise_of([0.08, 0.09, 0.10, 0.11, 0.12], [-0.54, -0.51, -0.50, -0.49, -0.46])
    assert found.spread == pytest.approx(1.4826 * 0.01, rel=1e-12)
    assert found.num_pairs_by_order == (5, 5)


def test_an_advantage_of_the_second_visit_is_no_noise():
    quiet = noise_of([0.01, 0.02, 0.04], [0.01, 0.03, 0.04])
    warmer = noise_of([0.21, 0.22, 0.24], [-0.19, -0.17, -0.16])
    assert warmer.spread == pytest.approx(quiet.spread, rel=1e-12)


def test_one_disturbed_pair_of_each_order_decides_nothing():
    quiet = noise_of([-0.02, -0.01, 0.0, 0.01, 0.02], [-0.02, -0.01, 0.0, 0.01, 0.02])
    disturbed = noise_of([-0.02, -0.01, 0.0, 0.01, 9.0], [-9.0, -0.01, 0.0, 0.01, 0.02])
    assert disturbed.spread == quiet.spread


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 2), (2, 100), (0, 0)])
def test_fewer_than_three_pairs_of_an_order_say_nothing(first, second):
    assert noise_of([0.01] * first, [0.02] * second) is None


def test_the_pair_sd_of_few_pairs_is_right_in_the_median():
    random = np.random.default_rng(7)
    found = [noise_of(*random.normal(0, 0.05, (2, 4))).pair_sd for _ in range(3000)]
    assert median(found) == pytest.approx(0.05, rel=0.05)


def test_the_interval_of_the_pair_sd_holds_the_true_one_in_nine_of_ten_cases():
    random = np.random.default_rng(8)
    intervals = [noise_of(*random.normal(0, 0.05, (2, 4))).pair_sd_interval for _ in range(3000)]
    share = sum(interval.low <= 0.05 <= interval.high for interval in intervals) / 3000
    assert share == pytest.approx(0.9, abs=0.02)


def test_the_noise_at_most_has_the_upper_end_of_the_interval_for_its_pair_sd():
    found = noise_of([0.0, 0.01, 0.03], [0.0, 0.02, 0.03])
    assert found.at_most.pair_sd == pytest.approx(found.pair_sd_interval.high, rel=1e-12)


def test_many_pairs_need_no_factor():
    assert noise(0.05).pair_sd == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize(
    ("pair_sd", "margin"),
    [
        (0.01, 0.03),
        (0.0594, 0.03),  # 2 * 1.1 * 5.94 % / sqrt(19) is just below 3 %
        (0.08, 2 * 1.1 * 0.08 / math.sqrt(19)),
    ],
)
def test_the_margin_is_3_percent_or_twice_the_noise(pair_sd, margin):
    assert noise(pair_sd).margin == pytest.approx(margin, rel=0.01)


def test_beyond_5_percent_it_is_too_noisy_and_there_is_no_margin():
    limit = 0.05 * math.sqrt(19) / 2.2
    assert not noise(0.98 * limit).is_too_noisy
    assert noise(1.02 * limit).is_too_noisy
    assert noise(1.02 * limit).margin is None


def test_the_smallest_visible_slow_down_is_the_margin_and_what_chance_needs():
    reach = (student.ppf(0.997, 18) + 1.2816) * 1.1 * 0.05 / math.sqrt(29)
    assert noise(0.05).smallest_visible == pytest.approx(1.03 * math.exp(reach) - 1, rel=0.01)


def test_a_machine_without_noise_sees_everything_above_the_least_margin():
    still = noise_of([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert (still.pair_sd, still.margin) == (0.0, 0.03)
    assert still.smallest_visible == pytest.approx(0.03, rel=1e-12)


def test_nine_gates_of_ten_find_the_smallest_visible_slow_down():

    known = noise(0.06)
    random = np.random.default_rng(9)
    pairs = random.normal(math.log1p(known.smallest_visible), 0.06, (2000, 29))
    found = [trimmed_mean(gate).lower_bound(0.003) > math.log1p(known.margin) for gate in pairs]
    assert sum(found) / 2000 == pytest.approx(0.9, abs=0.06)
