import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.stats.kaplan_meier import reached

SEEDS = st.lists(st.none() | st.integers(1, 100), min_size=1, max_size=20)


@given(SEEDS)
def test_with_equal_budgets_it_is_the_share_of_the_seeds(steps):
    found = reached(steps, [100] * len(steps))
    for at, share in zip(found.steps, found.shares, strict=True):
        hits = sum(count is not None and count <= at for count in steps)
        assert share == pytest.approx(hits / len(steps))


def test_a_miss_with_a_short_budget_stands_for_those_that_go_on():
    found = reached([10, None, 30, 40], [100, 20, 100, 100])
    assert found.steps_at(0.25) == 10
    # Of the three that were not there at 10 one left at 20: the two others count for the three.
    assert found.shares[-1] == 1.0
    assert found.steps_at(0.6) == 30
    assert (found.num_reached, found.num_seeds) == (3, 4)


def test_what_half_never_reaches_has_no_median():
    assert reached([10, None, None], [50] * 3).steps_at(0.5) is None
    assert reached([None, None], [50] * 2).steps_at(0.5) is None
    assert reached([], []) is None
