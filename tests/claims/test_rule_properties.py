"""What holds of every rule of a verdict, whatever was measured."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.claims.judge import WorkloadBounds, judge, judge_exact
from evabench.claims.judgement import Verdict
from evabench.settings.claims import Claim

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
RANK = {REFUTED: 0, INCONCLUSIVE: 1, SUPPORTED: 2}  # how good for the claim
MORE_IS_BETTER = ("at_least", "up_to", "not_worse_by")


@dataclass
class Interval:
    """The same bounds at every error."""

    low: float
    high: float

    def lower_bound(self, alpha):
        return self.low

    def upper_bound(self, alpha):
        return self.high


VALUES = st.floats(0.1, 4.0)
ENDS = st.tuples(st.floats(0.05, 8.0), st.floats(0.0, 3.0)).map(lambda one: Interval(one[0], one[0] + one[1]))
SEVERAL = st.lists(ENDS, min_size=1, max_size=4)


def claim(relation, value, tolerance=0.05):
    quantity = "validation_loss_difference" if relation == "not_worse_by" else "step_time_ratio"
    names = {"id": "T", "text": "", "arm": "eva", "bases": ("sgd",), "reason": ""}
    return Claim(quantity=quantity, relation=relation, value=value, tolerance=tolerance, **names)


def verdict(relation, value, several, complete=True, **options):
    measured = [
        WorkloadBounds(workload=f"w{at}", bounds=one, num_pairs=9, num_seeds=9) for at, one in enumerate(several)
    ]
    return judge(claim(relation, value, **options), measured, complete=complete).verdict


def moved(several, step):
    return [Interval(one.low + step, one.high + step) for one in several]


@pytest.mark.parametrize("relation", [*MORE_IS_BETTER, "at_most"])
@given(SEVERAL, VALUES, st.floats(0.0, 5.0))
def test_a_better_measurement_never_makes_the_verdict_worse(relation, several, value, step):
    better = moved(several, step if relation in MORE_IS_BETTER else -step)
    assert RANK[verdict(relation, value, better)] >= RANK[verdict(relation, value, several)]


@pytest.mark.parametrize("relation", ["at_least", "up_to"])
@given(SEVERAL, VALUES, st.floats(0.0, 5.0))
def test_to_ask_for_less_never_makes_the_verdict_worse(relation, several, value, less):
    assert RANK[verdict(relation, value / (1 + less), several)] >= RANK[verdict(relation, value, several)]


@pytest.mark.parametrize("relation", ["at_most", "equal_within", "not_worse_by"])
@given(SEVERAL, VALUES, st.floats(0.0, 5.0))
def test_to_allow_more_never_makes_the_verdict_worse(relation, several, value, more):
    assert RANK[verdict(relation, value + more, several)] >= RANK[verdict(relation, value, several)]


@pytest.mark.parametrize("relation", [*MORE_IS_BETTER, "at_most", "equal_within"])
@given(SEVERAL, VALUES, st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_wider_bounds_decide_no_more_and_nothing_else(relation, several, value, below, above):
    wider = [Interval(max(1e-3, one.low - below), one.high + above) for one in several]
    assert verdict(relation, value, wider) in {INCONCLUSIVE, verdict(relation, value, several)}


@pytest.mark.parametrize("relation", [*MORE_IS_BETTER, "at_most", "equal_within"])
@given(SEVERAL, VALUES, st.randoms())
def test_the_order_of_the_workloads_does_not_matter(relation, several, value, random):
    shuffled = random.sample(several, len(several))
    assert verdict(relation, value, shuffled) is verdict(relation, value, several)


@pytest.mark.parametrize("relation", ["at_least", "at_most", "equal_within", "not_worse_by"])
@given(SEVERAL, ENDS, VALUES)
def test_another_workload_never_helps_a_claim_about_every_one(relation, several, one, value):
    assert RANK[verdict(relation, value, [*several, one])] <= RANK[verdict(relation, value, several)]


@given(SEVERAL, ENDS, VALUES)
def test_another_workload_never_hurts_a_claim_about_the_best_one(several, one, value):
    assert RANK[verdict("up_to", value, [*several, one])] >= RANK[verdict("up_to", value, several)]


@given(SEVERAL, VALUES)
def test_at_least_and_at_most_are_each_other_seen_from_the_base(several, value):
    turned = [Interval(1 / one.high, 1 / one.low) for one in several]
    there, back = (
        verdict("at_least", value, several, tolerance=0.0),
        verdict("at_most", 1 / value, turned, tolerance=0.0),
    )
    near = any(abs(end / value - 1) < 1e-9 for one in several for end in (one.low, one.high))
    assert near or there is back


@given(SEVERAL, VALUES)
def test_equality_is_the_same_seen_from_the_base(several, value):
    turned = [Interval(1 / one.high, 1 / one.low) for one in several]
    ends = [end for one in several for end in (one.low, one.high)]
    near = any(abs(end * edge - 1) < 1e-9 for end in ends for edge in (1 + value, 1 / (1 + value)))
    assert near or verdict("equal_within", value, several) is verdict("equal_within", value, turned)


@pytest.mark.parametrize("relation", [*MORE_IS_BETTER, "at_most", "equal_within"])
@given(st.floats(0.05, 8.0), VALUES)
def test_what_is_known_exactly_is_always_decided(relation, truth, value):
    assert verdict(relation, value, [Interval(truth, truth)]) in {SUPPORTED, REFUTED}


@pytest.mark.parametrize("relation", ["at_least", "at_most", "equal_within", "not_worse_by"])
@given(SEVERAL, VALUES)
def test_where_a_workload_was_not_run_nothing_about_every_one_is_supported(relation, several, value):
    assert verdict(relation, value, several, complete=False) is not SUPPORTED


@given(SEVERAL, VALUES)
def test_an_up_to_is_not_refuted_where_one_of_its_workloads_was_not_run(several, value):
    assert verdict("up_to", value, several, complete=False) is not REFUTED


@given(st.lists(st.booleans(), max_size=6), st.integers(0, 9), st.booleans())
def test_what_is_counted_fails_with_one_and_is_supported_by_all_at_four_widths(holds, num_widths, complete):
    found = judge_exact([(f"c{at}", one) for at, one in enumerate(holds)], num_widths, complete=complete).verdict
    if False in holds:
        assert found is REFUTED
    elif not holds:
        assert found is NOT_TESTED
    else:
        assert found is (SUPPORTED if num_widths >= 4 and complete else INCONCLUSIVE)
