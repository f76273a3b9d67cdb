"""What neighbouring visits have in common: how much wider bounds are for it, from the places of the visits alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.drift import INDEPENDENT, LAG, places_of, resemblance
from evabench.stats.paired import paired_ratio


def sweeps(num_arms, at, num=6):
    """Return where an arm stands that is at this place in even sweeps, and opposite in odd ones."""
    return {number: (number, at if number % 2 == 0 else num_arms - 1 - at) for number in range(1, num + 1)}


def widening(found):
    return resemblance(found).widening


def places(num_arms, arm=0, base=-1, num=6):
    return list(places_of(sweeps(num_arms, arm, num), sweeps(num_arms, base % num_arms, num)).values())


def test_two_arms_alone_are_hardly_widened_and_many_arms_are():
    factors = [widening(places(num)) for num in (2, 3, 5, 20)]
    assert factors == sorted(factors)
    assert 1.0 < factors[0] < 1.06
    assert 1.3 < factors[-1] < 1.45


def test_neighbours_in_long_sweeps_are_like_two_arms_alone():
    assert widening(places(20, 9, 10)) == pytest.approx(1.0, abs=0.02)


@given(st.integers(2, 20), st.data(), st.integers(2, 24))
def test_it_never_narrows_and_does_not_depend_on_which_arm_is_the_base(num_arms, data, num):
    arm, base = (data.draw(st.integers(0, num_arms - 1)) for _ in range(2))
    there, back = resemblance(places(num_arms, arm, base, num)), resemblance(places(num_arms, base, arm, num))
    assert there.widening == pytest.approx(back.widening)
    assert there.freedom == pytest.approx(back.freedom)
    assert 1.0 <= there.widening < 2.0
    assert 0.2 < there.freedom <= 1.0


def test_a_sweep_is_as_long_as_its_two_directions_say():
    found = places_of(sweeps(5, 1), sweeps(5, 3))
    assert found[1] == (5 + 3, 5 + 1)
    assert found[2] == (10 + 1, 10 + 3)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_it_is_what_the_drift_of_an_autoregression_asks_for(share):
    num_arms, num, random = 5, 6, np.random.default_rng(0)
    means, variances = [], []
    at = np.array(places(num_arms, num=num))
    for _ in range(3000):
        drift = np.empty(num_arms * (num + 1))
        drift[0] = random.normal()
        for step in range(1, len(drift)):
            drift[step] = LAG * drift[step - 1] + random.normal(0, np.sqrt(1 - LAG**2))
        found = drift[at[:, 0]] - share * drift[at[:, 1]]
        means.append(found.mean())
        variances.append(found.var(ddof=1))
    asked = resemblance(places(num_arms), share).widening
    assert np.sqrt(num * np.var(means) / np.mean(variances)) == pytest.approx(asked, rel=0.05)


def test_a_difference_to_which_the_base_adds_little_keeps_the_drift_of_the_arm():
    factors = [resemblance(places(3, num=16), share).widening for share in (1.0, 0.5, 0.1)]
    assert factors == sorted(factors)
    assert factors[-1] > 1.5


def test_places_widen_the_bounds_of_a_ratio_and_not_its_estimate():
    arm, base = {1: 1.1, 2: 1.3, 3: 1.2, 4: 1.25}, dict.fromkeys(range(1, 5), 1.0)
    plain = paired_ratio(arm, base)
    known = paired_ratio(arm, base, places_of(sweeps(20, 0, 4), sweeps(20, 19, 4)))
    assert known.estimate == plain.estimate
    assert known.lower_bound(0.05) < plain.lower_bound(0.05)
    assert known.high > plain.high


def test_visits_at_one_place_say_nothing_about_it():
    assert resemblance([(1, 1), (2, 2), (3, 3)]) == INDEPENDENT
    assert resemblance([(0, 1)]) == INDEPENDENT


def test_two_sweeps_still_have_bounds():
    arm, base = {1: 1.1, 2: 1.3}, {1: 1.0, 2: 1.0}
    found = paired_ratio(arm, base, places_of(sweeps(5, 0, 2), sweeps(5, 4, 2)))
    assert 0 < found.lower_bound(0.05) < found.estimate
