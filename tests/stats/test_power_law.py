"""The exponent of a cost, against powers that are known."""

import numpy as np
import pytest

from evabench.stats.power_law import fit_power_law
from evabench.stats.trimmed import TrimmedMean, trimmed_mean

WIDTHS = (256, 384, 512, 768, 1024, 1536, 2048)


def cost(seconds, error):
    return TrimmedMean(num_values=9, estimate=seconds, standard_error=error, degrees_of_freedom=6)


@pytest.mark.parametrize("exponent", [1, 2, 2.5, 3])
def test_a_power_is_found_exactly(exponent):
    law = fit_power_law({width: cost(3e-9 * width**exponent, 1e-10 * width**exponent) for width in WIDTHS})
    assert law.exponent == pytest.approx(exponent)
    assert law.widths == WIDTHS


def test_a_width_whose_cost_is_within_5_standard_errors_does_not_count():
    costs = {width: cost(1e-9 * width**2, 1e-11 * width**2) for width in WIDTHS} | {256: cost(4.9, 1.0)}
    law = fit_power_law(costs)
    assert 256 not in law.widths
    assert law.exponent == pytest.approx(2)


def test_a_cost_below_that_of_sgd_does_not_count():
    costs = {width: cost(width**2, 0.0) for width in WIDTHS} | {256: cost(-1.0, 0.0), 384: cost(0.0, 0.0)}
    assert fit_power_law(costs).widths == WIDTHS[2:]


def test_two_widths_are_too_few():
    assert fit_power_law({width: cost(width**2, 1.0) for width in WIDTHS[:2]}) is None


def test_a_sum_of_powers_has_a_wider_interval_than_a_power():
    pure = fit_power_law({width: cost(width**2, 1e-3 * width**2) for width in WIDTHS})
    mixed = fit_power_law({width: cost(width**2 + 3e5, 1e-3 * (width**2 + 3e5)) for width in WIDTHS})
    assert mixed.standard_error > 10 * pure.standard_error
    assert mixed.exponent < 2


def test_95_percent_intervals_cover_the_truth_in_at_least_95_percent_of_drawn_experiments():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        noise = generator.normal(1, 0.05, (len(WIDTHS), 9))
        law = fit_power_law({w: trimmed_mean(w**2 * row) for w, row in zip(WIDTHS, noise, strict=True)})
        covered += law.interval.low <= 2 <= law.interval.high
    assert covered >= 0.95 * 400
