"""The exponent above a measured constant: exact where the costs are, honest where they are noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from evabench.stats.power_law import fit_power_law
from evabench.stats.trimmed import TrimmedMean

WIDTHS = (112, 160, 224, 320, 448, 560, 672, 784, 896)


def costs(constant, factor, exponent, *, error=1e-5, noise=None, widths=WIDTHS, with_constant=True):
    """Seconds at each width and at d = 8, with normal noise of the size of their error where it is given."""
    truth = {8: constant} if with_constant else {}
    truth |= {width: constant + factor * (width / 896) ** exponent for width in widths}
    draws = noise if noise is not None else np.zeros(len(truth))
    return {
        width: TrimmedMean(estimate=cost + error * draw, standard_error=error, num_values=16, degrees_of_freedom=9)
        for (width, cost), draw in zip(truth.items(), draws, strict=True)
    }


@given(st.floats(0, 1e-3), st.floats(1e-4, 1e-1), st.floats(0.5, 4.0))
def test_an_exact_power_above_any_constant_is_found(constant, factor, exponent):
    law = fit_power_law(costs(constant, factor, exponent, error=1e-9))
    assert law.exponent == pytest.approx(exponent, abs=1e-3)
    assert law.constant == pytest.approx(constant, abs=1e-3 * factor)


def test_a_constant_that_is_left_in_would_have_hidden_a_cube():
    law = fit_power_law(costs(0.46e-3, 1e-3, 3.0))
    assert law.lower_bound(0.05) > 2.1


def test_without_a_measured_constant_or_with_three_widths_nothing_is_fitted():
    assert fit_power_law(costs(1e-4, 1e-3, 2.0, with_constant=False)) is None
    assert fit_power_law(costs(1e-4, 1e-3, 2.0, widths=WIDTHS[:3])) is None


def test_costs_that_do_not_rise_have_no_exponent():
    assert fit_power_law(costs(1e-4, 0.0, 2.0)) is None
    assert fit_power_law(costs(1e-3, -5e-4, 2.0)) is None


def test_points_that_lie_on_no_power_widen_the_interval():
    bumpy = [0, 40, -40, 40, -40, 40, -40, 40, -40, 40]
    plain, bent = (fit_power_law(costs(1e-4, 1e-2, 2.0, noise=noise)) for noise in (None, np.array(bumpy)))
    assert bent.standard_error > 10 * plain.standard_error


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_the_bounds_hold_the_truth_as_often_as_they_say(exponent):
    design = fit_power_law(costs(4e-4, 1e-3, exponent, error=3e-5)).design
    noise = np.random.default_rng(7).normal(size=(1000, len(WIDTHS) + 1))
    exponents, errors = design.fit(design.measured + noise * design.errors)
    reach = stdtrit(len(WIDTHS) - 2, 0.95) * errors
    for missed in (np.mean(exponents + reach < exponent), np.mean(exponents - reach > exponent)):
        assert missed < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_the_power_against_a_cube_falls_with_the_noise():
    precise, coarse = (fit_power_law(costs(4e-4, 1e-3, 2.0, error=error)) for error in (1e-6, 2e-4))
    assert precise.power_against_cube(2.1, 0.05) > 0.99
    assert coarse is None or coarse.power_against_cube(2.1, 0.05) < 0.5
