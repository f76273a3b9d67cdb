"""How many runs would decide an open claim: a guess from its interval."""

from dataclasses import replace

import pytest

from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.claims.more_runs import MoreRuns, more_runs
from evabench.settings.claims import Claim
from tests.reporting.reports import suite

CLAIM = Claim(
    id="sooner",
    text="Eva is sooner.",
    quantity="time_to_target_ratio",
    arm="Eva",
    bases=("SGD",),
    relation="at_least",
    value=1.0,
    tolerance=0.0,
    reason="1: no later.",
)


def judged(estimate, low, high, *, pairs=8, seeds=8, claim=CLAIM, verdict=Verdict.INCONCLUSIVE):
    evidence = Evidence(
        workload="mlp",
        arm="Eva",
        base="SGD",
        decides=True,
        estimate=estimate,
        lower_bound=low,
        upper_bound=high,
        bound_alpha=0.05,
        num_pairs=pairs,
        num_seeds=seeds,
    )
    return Judgement(
        claim=claim,
        as_stated=verdict,
        differences=(),
        here=verdict,
        reason="It straddles.",
        evidence=(evidence,),
        would_decide=None,
    )


def test_an_interval_that_is_twice_too_wide_wants_four_times_as_many_runs():
    assert more_runs(judged(1.21, 1 / 1.21, 1.5)) == MoreRuns(num_pairs=32, num_seeds=32)


def test_what_may_be_refuted_wants_its_upper_bound_below_the_number():
    assert more_runs(judged(1 / 1.21, 0.5, 1.21)) == MoreRuns(num_pairs=32, num_seeds=32)


def test_an_at_most_is_asked_the_other_way_round():
    cheaper = replace(CLAIM, quantity="step_time_ratio", relation="at_most")
    found = more_runs(judged(1 / 1.21, 0.5, 1.21, seeds=None, claim=cheaper))
    assert found == MoreRuns(num_pairs=32, num_seeds=None)


@pytest.mark.parametrize("high", [float("inf"), 4.0])
def test_too_few_runs_want_at_least_what_may_decide(high):
    assert more_runs(judged(3.0, 0.0, high, pairs=2, seeds=3)) == MoreRuns(num_pairs=6, num_seeds=8)


def test_a_tie_is_called_one():
    assert more_runs(judged(1.0001, 0.9, 1.1)).is_tie


@pytest.mark.parametrize("verdict", [Verdict.SUPPORTED, Verdict.REFUTED, Verdict.NOT_TESTED])
def test_what_is_decided_or_not_tested_wants_no_runs(verdict):
    assert more_runs(judged(1.21, 1 / 1.21, 1.5, verdict=verdict)) is None


def test_a_claim_that_something_else_keeps_open_wants_no_runs():
    assert more_runs(judged(2.0, 1.5, 2.5)) is None


def test_a_suite_with_more_runs_never_has_fewer_sweeps_or_seeds():
    larger = MoreRuns(num_pairs=20, num_seeds=2).of(suite())
    assert (larger.measurements.step_time.sweeps, larger.convergence.seeds) == (20, 3)
