import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.claims.judge import WorkloadBounds, judge, judge_exact
from evabench.claims.judgement import Verdict
from evabench.settings.claims import Claim

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
RELATIONS = ("at_least", "at_most", "up_to", "equal_within", "not_worse_by")


class FixedBounds:
    """Bounds that are exact at 5 % and reach 0.1 further for each halving of alpha, so that a rule's alpha shows."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def lower_bound(self, alpha):
        return self.low - self._extra(alpha)

    def upper_bound(self, alpha):
        return self.high + self._extra(alpha)

    @staticmethod
    def _extra(alpha):
        return 0.1 * math.log(0.05 / alpha, 2)  # 0.1 for alpha / 2


def claim(relation, value, tolerance=0.05):
    quantity = "validation_loss_difference" if relation == "not_worse_by" else "step_time_ratio"
    return Claim(
        id="T",
        text="a test",
        source="here",
        quantity=quantity,
        arm="eva",
        bases=("sgd",),
        relation=relation,
        value=value,
        tolerance=tolerance,
        reason="none",
    )


def bounds(low, high, workload="w", *, pairs=9, seeds=8):
    return WorkloadBounds(workload=workload, bounds=FixedBounds(low, high), num_pairs=pairs, num_seeds=seeds)


def verdict(relation, value, *measured, complete=True):
    return judge(claim(relation, value), measured, complete=complete).verdict


@pytest.mark.parametrize(
    ("relation", "value", "low", "high", "expected"),
    [
        # 2 (1 - 5 %) = 1.9
        ("at_least", 2.0, 1.9, 9.0, SUPPORTED),
        ("at_least", 2.0, 1.0, 1.89, REFUTED),
        ("at_least", 2.0, 1.89, 1.9, INCONCLUSIVE),
        # 2 (1 + 5 %) = 2.1
        ("at_most", 2.0, 0.1, 2.1, SUPPORTED),
        ("at_most", 2.0, 2.11, 3.0, REFUTED),
        ("at_most", 2.0, 2.1, 2.11, INCONCLUSIVE),
        ("up_to", 2.0, 1.9, 9.0, SUPPORTED),
        ("up_to", 2.0, 1.0, 1.89, REFUTED),
        ("up_to", 2.0, 1.89, 1.9, INCONCLUSIVE),
        # inside 1 / 1.05 to 1.05; outside at two-sided 5 %: the bounds at 2.5 % reach 0.1 further
        ("equal_within", 0.05, 0.96, 1.05, SUPPORTED),
        ("equal_within", 0.05, 1.16, 1.30, REFUTED),
        ("equal_within", 0.05, 0.60, 0.85, REFUTED),
        ("equal_within", 0.05, 1.10, 1.30, INCONCLUSIVE),
        ("equal_within", 0.05, 0.94, 1.00, INCONCLUSIVE),
        # no further tolerance
        ("not_worse_by", 0.5, -0.49, 3.0, SUPPORTED),
        ("not_worse_by", 0.5, -9.0, -0.51, REFUTED),
        ("not_worse_by", 0.5, -0.5, 3.0, INCONCLUSIVE),
    ],
)
def test_one_workload_follows_the_table(relation, value, low, high, expected):
    assert verdict(relation, value, bounds(low, high)) is expected


def test_at_least_needs_every_workload_and_falls_with_one():
    good, open_, bad = bounds(2.5, 3.0, "a"), bounds(1.5, 3.0, "b"), bounds(0.5, 1.7, "c")
    assert verdict("at_least", 2.0, good, good) is SUPPORTED
    assert verdict("at_least", 2.0, good, open_) is INCONCLUSIVE
    assert verdict("at_least", 2.0, good, bad) is REFUTED


def test_at_most_needs_every_workload_and_falls_with_one():
    good, bad = bounds(1.0, 1.5, "a"), bounds(2.5, 3.0, "b")
    assert verdict("at_most", 2.0, good, good) is SUPPORTED
    assert verdict("at_most", 2.0, good, bad) is REFUTED


def test_up_to_needs_one_workload_and_falls_only_with_all():
    good, bad = bounds(2.5, 3.0, "a"), bounds(0.5, 1.5, "b")
    assert verdict("up_to", 2.0, good, bad) is SUPPORTED
    assert verdict("up_to", 2.0, bad, bad) is REFUTED
    assert verdict("up_to", 2.0, bad, bounds(0.5, 1.95, "c")) is INCONCLUSIVE


def test_one_chance_in_several_has_to_share_the_error():
    # FixedBounds reach 0.1 further at alpha / 2
    bad, best = bounds(0.1, 0.2, "a"), bounds(1.95, 3.0, "b")
    assert verdict("up_to", 2.0, best) is SUPPORTED
    assert verdict("up_to", 2.0, best, bad) is INCONCLUSIVE
    assert verdict("at_least", 2.0, bounds(1.0, 1.85)) is REFUTED
    assert verdict("at_least", 2.0, bounds(1.0, 1.85), bounds(2.5, 3.0)) is INCONCLUSIVE
    assert verdict("not_worse_by", 0.5, bounds(-1.0, -0.55)) is REFUTED
    assert verdict("not_worse_by", 0.5, bounds(-1.0, -0.55), bounds(0.0, 1.0)) is INCONCLUSIVE


def test_every_workload_keeps_its_whole_error():
    assert verdict("at_least", 2.0, *[bounds(1.9, 3.0)] * 5) is SUPPORTED
    assert verdict("up_to", 2.0, *[bounds(1.0, 1.89)] * 5) is REFUTED
    assert verdict("equal_within", 0.05, *[bounds(0.96, 1.04)] * 5) is SUPPORTED


def test_up_to_is_never_refuted_by_other_workloads():
    finding = judge(claim("up_to", 2.0), [bounds(0.5, 0.6)], complete=False)
    assert finding.verdict is INCONCLUSIVE
    assert "claim's own workloads" in finding.reason


def test_up_to_is_supported_by_one_workload_though_others_were_not_run():
    assert verdict("up_to", 2.0, bounds(2.0, 3.0), complete=False) is SUPPORTED


@pytest.mark.parametrize(
    ("relation", "value", "low", "high"),
    [("at_least", 2.0, 2.5, 3.0), ("at_most", 2.0, 1.0, 1.5), ("equal_within", 0.05, 0.99, 1.01)],
)
def test_a_workload_that_was_not_run_leaves_every_open(relation, value, low, high):
    finding = judge(claim(relation, value), [bounds(low, high)], complete=False)
    assert finding.verdict is INCONCLUSIVE
    assert "Not every workload" in finding.reason


@given(
    st.sampled_from(RELATIONS),
    st.floats(-5, 5),
    st.floats(0, 5),
    st.sampled_from([(5, 8), (9, 7), (0, 0), (5, None), (None, 7)]),
)
def test_five_pairs_or_seven_seeds_never_decide(relation, low, width, numbers):
    short = bounds(low, low + width, pairs=numbers[0], seeds=numbers[1])
    assert verdict(relation, 0.5, short) is INCONCLUSIVE


@pytest.mark.parametrize("numbers", [(6, 8), (6, None), (None, 8)])
def test_six_pairs_and_eight_seeds_can(numbers):
    assert verdict("at_least", 2.0, bounds(2.5, 3.0, pairs=numbers[0], seeds=numbers[1])) is SUPPORTED
    assert verdict("at_least", 2.0, bounds(0.5, 1.0, pairs=numbers[0], seeds=numbers[1])) is REFUTED


def test_what_is_short_is_said():
    finding = judge(claim("at_least", 2.0), [bounds(2.5, 3.0, "mnist", pairs=5, seeds=3)], complete=True)
    assert "mnist needs 8 seeds, has 3 and needs 6 timing pairs, has 5" in finding.reason


def test_a_short_workload_keeps_the_others_from_supporting_but_not_from_refuting():
    short = bounds(2.5, 3.0, "short", seeds=3)
    assert verdict("at_least", 2.0, short, bounds(2.5, 3.0)) is INCONCLUSIVE
    assert verdict("at_least", 2.0, short, bounds(0.5, 1.0)) is REFUTED
    assert verdict("up_to", 2.0, short, bounds(0.5, 1.0)) is INCONCLUSIVE


def test_a_doubtful_target_decides_nothing():
    doubtful = WorkloadBounds(workload="w", bounds=FixedBounds(2.5, 3.0), num_pairs=9, num_seeds=9, doubt="is in doubt")
    finding = judge(claim("at_least", 2.0), [doubtful], complete=True)
    assert (finding.verdict, finding.reason) == (INCONCLUSIVE, "It cannot be decided: w is in doubt.")


@pytest.mark.parametrize("relation", RELATIONS)
def test_nothing_measured_is_not_tested(relation):
    assert verdict(relation, 0.5) is NOT_TESTED


@given(st.sampled_from(RELATIONS), st.floats(0.01, 3), st.integers(1, 4), st.booleans())
def test_bounds_that_enclose_everything_decide_nothing(relation, value, num_workloads, complete):
    wide = [bounds(-100.0, 100.0, f"w{i}") for i in range(num_workloads)]
    assert verdict(relation, value, *wide, complete=complete) is INCONCLUSIVE


def test_a_counted_condition_is_supported_at_four_widths_and_fails_with_one():
    holds, fails = ("this holds", True), ("that does not", False)
    assert judge_exact([holds, holds], 4, complete=True).verdict is SUPPORTED
    assert judge_exact([holds], 3, complete=True).verdict is INCONCLUSIVE
    assert judge_exact([holds], 4, complete=False).verdict is INCONCLUSIVE
    assert judge_exact([holds, fails], 1, complete=False).verdict is REFUTED
    assert judge_exact([], 0, complete=True).verdict is NOT_TESTED


def test_a_counted_claim_is_not_judged_by_bounds():
    counted = Claim(
        id="T",
        text="",
        source="",
        quantity="curvature_growth",
        arm="eva",
        bases=("kfac",),
        relation="exact",
        value=None,
        reason="",
    )
    with pytest.raises(ValueError, match="counted, not sampled"):
        judge(counted, [bounds(1, 2)], complete=True)


def test_a_condition_that_several_nets_meet_is_told_once():
    condition = ("the curvature state of Eva has no d^2 term at 4 widths d", True)
    finding = judge_exact([condition, condition], 4, complete=True)
    assert finding.reason == "Counted exactly: the curvature state of Eva has no d^2 term at 4 widths d (2 nets)."


@pytest.mark.parametrize(
    ("relation", "tolerance", "told"),
    [
        ("at_least", 0.05, "0.95 (1 less the tolerance of 5 %)"),
        ("at_most", 0.05, "1.05 (1 plus the tolerance of 5 %)"),
        ("at_most", 0.0, "does not decide against 1."),
    ],
)
def test_a_number_that_is_not_the_claims_own_says_how_it_comes_from_it(relation, tolerance, told):
    assert told in judge(claim(relation, 1.0, tolerance), [bounds(0.5, 2.0)], complete=True).reason
