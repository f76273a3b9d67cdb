"""A baseline must be a baseline: whoever beats one that does not train, or trains badly, has beaten nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.findings.rate_checks import better_rate, rate_checks
from evabench.records.trivial import TrivialLevel
from evabench.reporting.tables.verdicts import claim_warnings
from evabench.settings.claims import Claim
from evabench.settings.points import at_rate
from tests.runs import ARMS, TARGETS, failed, training, trainings, visits

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
SOONER = Claim(
    id="T",
    text="Eva is sooner than SGD.",
    quantity="time_to_target_ratio",
    arm="Eva",
    bases=("SGD",),
    relation="at_least",
    value=1.0,
    reason="a test",
    local=True,
)
LOWER = replace(SOONER, quantity="validation_loss_ratio", relation="at_most")
TIMED = [*visits("SGD", 0.01), *visits("Eva", 0.01)]
EVA = trainings("Eva", [20] * 8)


def only(claim, runs):
    (judgement,) = judge_claims([claim], make_findings(runs, TARGETS))
    return judgement


@pytest.mark.parametrize(("missed", "verdict"), [(2, SUPPORTED), (3, INCONCLUSIVE), (8, INCONCLUSIVE)])
def test_a_base_that_misses_a_number_in_more_than_a_quarter_of_its_seeds_decides_nothing(missed, verdict):
    judgement = only(SOONER, [*TIMED, *trainings("SGD", [40] * (8 - missed) + [None] * missed), *EVA])
    assert judgement.here is verdict
    if verdict is INCONCLUSIVE:
        assert f"autoencoder has a weak base: SGD missed the target in {missed} of 8 seeds" in judgement.reason


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([None, 24, 40, 64]), min_size=8, max_size=12), st.sampled_from(["at_least", "at_most"]))
def test_no_verdict_rests_on_a_base_that_misses_in_more_than_a_quarter(steps, relation):
    runs = [*TIMED, *trainings("SGD", steps), *trainings("Eva", [20] * len(steps))]
    judgement = only(replace(SOONER, relation=relation), runs)
    if 4 * steps.count(None) > len(steps):
        assert judgement.here is INCONCLUSIVE
    else:
        assert "weak base" not in judgement.reason


@pytest.mark.parametrize("kind", ["diverged", "crashed", "timeout", "out_of_memory", "killed"])
@pytest.mark.parametrize("claim", [SOONER, LOWER])
def test_a_base_that_does_not_get_through_is_none(claim, kind):
    judgement = only(claim, [*TIMED, *(failed(run, kind) for run in trainings("SGD", [40] * 8)), *EVA])
    assert judgement.here is INCONCLUSIVE
    assert "SGD did not get to the end of its budget in 8 of 8 seeds" in judgement.reason


def test_a_base_that_learned_nothing_is_none_however_low_the_claimed_ratio():
    level = TrivialLevel(name="the mean image", validation_loss=1.0)
    collapsed = [
        replace(run, measured=replace(run.measured, trivial_levels=(level,))) for run in trainings("SGD", [None] * 8)
    ]
    judgement = only(LOWER, [*collapsed, *EVA])
    assert judgement.here is INCONCLUSIVE
    assert "SGD learned nothing in 8 of 8 seeds" in judgement.reason


def at_another_rate(factor, ends, arm="SGD"):
    """Runs of an arm at another rate that end at these losses."""
    settings = at_rate(ARMS[arm], ARMS[arm].lr * factor)
    found = []
    for seed, loss in enumerate(ends, start=1):
        run = training(arm, seed, None, optimizer=settings)
        *before, last = run.measured.evaluations
        measured = replace(run.measured, evaluations=(*before, replace(last, validation_loss=loss)))
        found.append(replace(run, cell=replace(run.cell, role="rate_check"), measured=measured))
    return found


def ending_at(arm, losses):
    found = []
    for seed, loss in enumerate(losses, start=1):
        run = training(arm, seed, 40)
        *before, last = run.measured.evaluations
        measured = replace(run.measured, evaluations=(*before, replace(last, validation_loss=loss)))
        found.append(replace(run, measured=measured))
    return found


JUDGED = [*TIMED, *ending_at("SGD", [0.40, 0.41, 0.42, 0.43, 0.44, 0.45, 0.46, 0.47]), *EVA]


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [([0.38, 0.39], INCONCLUSIVE), ([0.38, 0.40], SUPPORTED), ([0.38, 0.50], SUPPORTED), ([], SUPPORTED)],
)
def test_a_base_that_ends_better_at_another_rate_than_in_any_judged_seed_decides_nothing(ends, verdict):
    judgement = only(SOONER, [*JUDGED, *at_another_rate(3, ends)])
    assert judgement.here is verdict
    if verdict is INCONCLUSIVE:
        assert "the baseline's learning rate is not its best" in judgement.reason


def test_a_hobbled_baseline_does_not_win_the_arm_a_verdict():
    slow = at_rate(ARMS["SGD"], ARMS["SGD"].lr / 30)
    hobbled = [
        replace(run, cell=replace(run.cell, optimizer=slow)) if run.cell.arm == "SGD" else run
        for run in [*TIMED, *trainings("SGD", [64] * 8), *EVA]
    ]
    unchecked = only(SOONER, hobbled)
    assert unchecked.here is SUPPORTED
    assert unchecked.first == ("SGD was tried at no other learning rate: a better one may exist.",)
    tried = [
        replace(run, cell=replace(run.cell, optimizer=at_rate(slow, 3 * slow.lr)))
        for run in at_another_rate(3, [0.3, 0.3])
    ]
    checked = only(SOONER, [*hobbled, *tried])
    assert checked.here is INCONCLUSIVE
    assert checked.first == ()


def test_a_base_whose_rate_was_tuned_needs_no_check():
    trials = [
        replace(run, cell=replace(run.cell, role="tuning"))
        for factor in (1, 3)
        for run in at_another_rate(factor, [0.5, 0.5])
    ]
    (judgement,) = judge_claims([SOONER], make_findings(JUDGED, TARGETS, trials=trials))
    assert judgement.first == ()


def test_checks_of_other_settings_or_with_a_failed_run_say_nothing():
    (arm,) = (one for one in make_findings(JUDGED, TARGETS).arms if one.name == "SGD")
    good = at_another_rate(3, [0.1, 0.1])
    assert better_rate(rate_checks(good), arm, "loss") == pytest.approx(3 * ARMS["SGD"].lr)
    other = [replace(run, cell=replace(run.cell, optimizer=replace(run.cell.optimizer, momentum=0.1))) for run in good]
    assert better_rate(rate_checks(other), arm, "loss") is None
    assert better_rate(rate_checks([good[0], failed(good[1], "diverged")]), arm, "loss") is None


def claim_warnings_of(judgement):
    return tuple(claim_warnings([judgement, judgement]))


def test_a_target_that_the_base_reaches_at_once_is_said_to_be_easy():
    judgement = only(SOONER, [*TIMED, *trainings("SGD", [8] * 8), *EVA])
    assert "SGD reaches the target after 8 of 72 steps: so easy a target says little" in " ".join(
        judgement.evidence[0].notes
    )
    assert judgement.evidence[0].warnings == claim_warnings_of(judgement)
    assert "so easy" not in " ".join(only(SOONER, JUDGED).evidence[0].notes)


def test_groups_keep_their_share_of_a_rate():
    grouped = replace(ARMS["SGD"], lr=0.3, groups=({"match": "*.bias", "lr": 0.1},))
    assert at_rate(grouped, 0.9).groups[0]["lr"] == pytest.approx(0.3)
