import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.equivalence import ratio_equivalence
from evabench.stats.paired import PairedRatio, paired_ratio

# Made up, not measured: seconds a step of two arms of the same settings, sweep by sweep, with the noise of a shared
# two-core machine. Each arm varies by 5 to 7 % and drifts for many sweeps at a time, which the pairs do not see.
FIRST_ARM = [
    0.01002, 0.01018, 0.00987, 0.01061, 0.01083, 0.01109, 0.01127, 0.01094, 0.01141, 0.01132, 0.01088, 0.01052,
    0.01047, 0.00993, 0.00981, 0.00968, 0.00989, 0.01013, 0.01034,
]  # fmt: skip
SECOND_ARM = [
    0.01031, 0.00995, 0.01009, 0.01038, 0.01102, 0.01090, 0.01155, 0.01075, 0.01149, 0.01109, 0.01121, 0.01068,
    0.01021, 0.01012, 0.00964, 0.00979, 0.00976, 0.01041, 0.01018,
]  # fmt: skip


def by_sweep(values):
    return dict(enumerate(values, start=1))


def a_over_a() -> PairedRatio:
    ratio = paired_ratio(by_sweep(FIRST_ARM), by_sweep(SECOND_ARM))
    assert ratio is not None
    return ratio


def test_the_two_arms_are_as_noisy_as_they_claim():
    for arm in (FIRST_ARM, SECOND_ARM):
        logs = np.log(arm)
        assert 0.045 < logs.std(ddof=1) < 0.075
        assert np.corrcoef(logs[:-1], logs[1:])[0, 1] > 0.6


def test_sgd_twice_as_it_was_recorded_is_equal_within_5_percent():
    # Seconds a step of nine sweeps of `evabench run`, two arms of the same settings, 2 CPUs of an AMD EPYC, 2026-11-24.
    sgd = [0.019232, 0.019043, 0.018822, 0.019114, 0.018639, 0.018616, 0.018832, 0.020017, 0.019082]
    again = [0.018819, 0.018994, 0.01938, 0.019532, 0.018658, 0.018793, 0.018791, 0.019128, 0.018868]
    assert ratio_equivalence(paired_ratio(by_sweep(sgd), by_sweep(again)), 0.05) == "equal"


def test_two_arms_of_the_same_settings_are_equal_within_5_percent():
    assert ratio_equivalence(a_over_a(), 0.05) == "equal"


def test_the_same_answer_comes_out_whichever_arm_is_the_base():
    swapped = paired_ratio(by_sweep(SECOND_ARM), by_sweep(FIRST_ARM))
    assert swapped is not None
    assert ratio_equivalence(swapped, 0.05) == "equal"
    assert swapped.estimate == pytest.approx(1 / a_over_a().estimate)
    assert swapped.low == pytest.approx(1 / a_over_a().high)


def test_the_pairs_see_a_slow_down_that_the_drift_hides():
    slower = paired_ratio(by_sweep([1.15 * seconds for seconds in FIRST_ARM]), by_sweep(SECOND_ARM))
    assert slower is not None
    assert ratio_equivalence(slower, 0.05) == "different"
    assert slower.low > 1.1


def test_too_few_pairs_leave_equality_undecided():
    few = paired_ratio(by_sweep(FIRST_ARM[:3]), by_sweep(SECOND_ARM[:3]))
    assert few is not None
    assert ratio_equivalence(few, 0.05) == "undecided"


def test_only_sweeps_that_both_arms_completed_make_pairs():
    ratio = paired_ratio({1: 2.0, 2: 4.0, 4: 9.0}, {2: 2.0, 3: 1.0, 4: 3.0})
    assert ratio == PairedRatio(arm_values=(4.0, 9.0), base_values=(2.0, 3.0))
    assert ratio.num_pairs == 2
    assert ratio.estimate == pytest.approx(math.sqrt(6.0))
    assert paired_ratio({1: 1.0}, {2: 1.0}) is None


def test_one_pair_has_an_estimate_and_an_interval_that_says_nothing():
    ratio = paired_ratio({1: 3.0}, {1: 2.0})
    assert ratio is not None
    assert (ratio.estimate, ratio.low, ratio.high) == (pytest.approx(1.5), 0.0, math.inf)


def test_a_time_of_zero_is_refused():
    with pytest.raises(ValueError, match="needs positive values"):
        paired_ratio({1: 0.0}, {1: 1.0})


def test_the_descriptive_interval_is_seeded_and_lies_around_the_ratio_of_medians():
    interval = a_over_a().descriptive_interval()
    assert interval == a_over_a().descriptive_interval()
    assert interval is not None
    assert interval.low <= np.median(FIRST_ARM) / np.median(SECOND_ARM) <= interval.high


def test_there_is_no_descriptive_interval_for_few_or_equal_values():
    few = paired_ratio(by_sweep(FIRST_ARM[:5]), by_sweep(SECOND_ARM[:5]))
    equal = paired_ratio(by_sweep([1.0] * 9), by_sweep([1.0] * 9))
    assert few is not None
    assert equal is not None
    assert few.descriptive_interval() is None
    assert equal.descriptive_interval() is None


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=20), st.floats(0.1, 100))
def test_the_unit_of_the_times_does_not_matter(pairs, scale):
    arm, base = by_sweep([pair[0] for pair in pairs]), by_sweep([pair[1] for pair in pairs])
    ratio = paired_ratio(arm, base)
    scaled = paired_ratio({k: v * scale for k, v in arm.items()}, {k: v * scale for k, v in base.items()})
    assert ratio is not None
    assert scaled is not None
    assert scaled.estimate == pytest.approx(ratio.estimate)
    assert scaled.lower_bound(0.05) == pytest.approx(ratio.lower_bound(0.05), rel=1e-6)


def test_equal_within_nothing_is_refused():
    with pytest.raises(ValueError, match="margin must be above 0"):
        ratio_equivalence(a_over_a(), 0.0)
