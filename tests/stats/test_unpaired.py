import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.unpaired import unpaired_ratio

VALUES = st.lists(st.floats(0.5, 2.0), min_size=3, max_size=12, unique=True)


@given(VALUES, VALUES, st.floats(0.1, 10.0))
def test_the_ratio_scales_with_its_head_and_turns_round_with_its_sides(head, base, factor):
    one = unpaired_ratio(head, base)
    scaled = unpaired_ratio([factor * value for value in head], base)
    turned = unpaired_ratio(base, head)
    assert scaled.estimate == pytest.approx(factor * one.estimate)
    assert turned.estimate == pytest.approx(1 / one.estimate)
    assert (turned.interval.low, turned.interval.high) == pytest.approx((1 / one.interval.high, 1 / one.interval.low))


def test_the_interval_encloses_the_truth_in_95_of_100_experiments():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        head, base = np.exp(rng.normal(math.log(1.1), 0.05, 8)), np.exp(rng.normal(0, 0.02, 8))
        interval = unpaired_ratio(tuple(head), tuple(base)).interval
        held += interval.low <= 1.1 <= interval.high
    assert 0.92 <= held / 400 <= 0.98  # 95 % within three Monte-Carlo errors


def test_few_or_equal_values_have_no_interval_and_none_are_refused():
    assert unpaired_ratio([2.0, 2.0], [1.0, 1.0]).interval is None
    assert unpaired_ratio([2.0] * 5, [1.0] * 5).interval is None
    with pytest.raises(ValueError, match="needs positive values on both sides"):
        unpaired_ratio([], [1.0])
    with pytest.raises(ValueError, match="needs positive values on both sides"):
        unpaired_ratio([0.0], [1.0])
