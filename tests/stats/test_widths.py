from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.settings.autoencoders import AutoencoderSettings
from evabench.stats.widths import ExactDegree, exact_degree, width_polynomial

NET = AutoencoderSettings(widths=(784, 1000, 500, 250, 30), batch=250)
SCALES = (0.2, 0.4, 0.6, 0.8, 1.0)


def layer_sizes(net):
    encoder = list(zip(net.widths, net.widths[1:], strict=False))
    return encoder + [(outputs, inputs) for inputs, outputs in reversed(encoder)]


def counted(bytes_of_layer):
    nets = [NET.scaled(scale) for scale in SCALES]
    return {net.widths[1]: sum(bytes_of_layer(*sizes) for sizes in layer_sizes(net)) for net in nets}


def test_vectors_of_a_layer_leave_no_quadratic_term_though_the_input_width_stays():
    polynomial = width_polynomial(counted(lambda inputs, outputs: 4 * (inputs + 1 + outputs)))
    assert polynomial is not None
    assert polynomial.has_quadratic_term is False


def test_factors_of_a_layer_have_one():
    polynomial = width_polynomial(counted(lambda inputs, outputs: 4 * ((inputs + 1) ** 2 + outputs**2)))
    assert polynomial is not None
    assert polynomial.has_quadratic_term is True


def test_the_coefficient_is_exact_for_uneven_widths():
    polynomial = width_polynomial({w: 3 * w * w // 1 + 5 * w + 7 for w in (10, 17, 40, 41, 1000)})
    assert polynomial is not None
    assert polynomial.quadratic == Fraction(3)


def test_one_byte_in_a_billion_is_not_overlooked():
    counts = {w: 10**9 + 8 * w for w in (100, 200, 300, 400)}
    polynomial = width_polynomial({**counts, 400: counts[400] + 1})
    assert polynomial is not None
    assert polynomial.has_quadratic_term is None  # no polynomial of degree 2: nothing may be concluded


@pytest.mark.parametrize("power", [3, 4])
def test_a_higher_degree_is_not_taken_for_a_quadratic(power):
    polynomial = width_polynomial({w: w**power for w in (1, 2, 3, 4, 5)})
    assert polynomial is not None
    assert polynomial.has_quadratic_term is None


def test_three_widths_always_lie_on_a_parabola_so_they_say_nothing():
    assert width_polynomial({1: 5, 2: 1, 3: 8}) is None


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.sets(st.integers(1, 10**5), min_size=4, max_size=8),
)
def test_the_quadratic_coefficient_of_any_parabola_is_found(quadratic, linear, constant, widths):
    polynomial = width_polynomial({w: quadratic * w * w + linear * w + constant for w in widths})
    assert polynomial is not None
    assert polynomial.quadratic == quadratic


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.lists(st.integers(1, 60), min_size=6, max_size=9, unique=True),
)
def test_the_degree_of_exact_counts_is_read_and_not_fitted(coefficients, widths):
    counts = {width: sum(c * width**power for power, c in enumerate(coefficients)) for width in widths}
    found = exact_degree(counts)
    assert found.degree == max((power for power, c in enumerate(coefficients) if c), default=0)
    assert found.widths == tuple(sorted(widths))


def test_another_path_at_other_sizes_is_another_polynomial():
    counts = {width: width**2 if width < 50 else 7 * width**2 + width for width in range(20, 120, 10)}
    assert exact_degree(counts) == ExactDegree(degree=2, widths=(50, 60, 70, 80, 90, 100, 110))


def test_four_widths_and_counts_on_no_polynomial_have_no_degree():
    assert exact_degree({width: width**2 for width in (1, 2, 3, 4)}) is None
    assert exact_degree({width: 2**width for width in range(1, 9)}) is None
