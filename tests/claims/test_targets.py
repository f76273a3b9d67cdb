"""Targets that an arm's own runs have set: what carries them is judged three times, and what does not is refused."""

from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.findings.goals import Goal
from evabench.findings.targets import TargetFindings
from evabench.settings.claims import ClaimedWorkload
from evabench.settings.first_order import AdamWSettings
from evabench.settings.targets import Target
from tests.claims.eva import FASTER_THAN_KFAC, FASTER_THAN_SGD
from tests.runs import TARGET, failed, judged_by, target_set_by, training, trainings, visits

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
HERE = ClaimedWorkload(model="autoencoder", data="fashion_mnist_subset", batch=250, arm_epochs=2, base_epochs=2)
OURS = replace(FASTER_THAN_SGD, device="cpu", conditions=(HERE,), value=1.5)  # the claim, made about this very workload
BY_SGD = target_set_by("SGD")
ADAMW = {"optimizer": AdamWSettings(lr=1e-3)}


def only(runs, *targets, claim=OURS):
    (judgement,) = judge_claims([claim], make_findings(runs, targets=TargetFindings(found=targets)))
    return judgement


def timed():
    return [*visits("SGD", 0.010), *visits("Eva", 0.010)]


def twice_as_fast(sgd=(40,) * 8):
    return [*timed(), *trainings("SGD", sgd), *trainings("Eva", [20] * 8)]


def test_a_target_that_runs_have_set_decides_like_a_number():
    judgement = only(judged_by(BY_SGD, twice_as_fast()), BY_SGD)
    assert (judgement.as_stated, judgement.here) == (SUPPORTED, SUPPORTED)
    assert judgement.evidence[0].estimate == pytest.approx(2.0)


def test_runs_that_carry_no_target_are_refused_and_it_says_what_to_do():
    judgement = only(twice_as_fast(), BY_SGD)
    assert (judgement.as_stated, judgement.here, judgement.evidence) == (NOT_TESTED, NOT_TESTED, ())
    assert judgement.reason == (
        "On autoencoder nothing is compared: the runs of Eva, SGD carry no target, or another than the one that is set "
        "now. `evabench run` makes them anew."
    )


def test_one_arm_with_another_target_is_enough_to_refuse_the_comparison():
    before = target_set_by("SGD", 0.6)
    sgd, eva = trainings("SGD", [40] * 8), trainings("Eva", [20] * 8)
    judgement = only([*timed(), *judged_by(BY_SGD, sgd), *judged_by(before, eva)], BY_SGD)
    assert judgement.here is NOT_TESTED
    assert "the runs of Eva carry no target, or another" in judgement.reason


def test_runs_that_carry_a_target_are_not_judged_by_a_number():
    (judgement,) = judge_claims(
        [OURS], make_findings(judged_by(BY_SGD, twice_as_fast()), {"autoencoder": Goal(TARGET)})
    )
    assert judgement.here is NOT_TESTED
    assert "carry no target, or another" in judgement.reason


def test_runs_of_a_target_before_are_left_out_beside_those_of_the_present_one():
    before = target_set_by("SGD", 0.6)
    old = judged_by(before, trainings("Eva", [68] * 12))
    judgement = only([*old, *judged_by(BY_SGD, twice_as_fast())], BY_SGD)
    assert judgement.here is SUPPORTED
    assert judgement.evidence[0].num_seeds == 8


def test_runs_that_set_a_target_are_never_judged():
    setting = [replace(one, cell=BY_SGD.cell) for one in trainings("SGD", [4] * 8)]
    assert make_findings(setting).arms == ()
    judgement = only([*setting, *judged_by(BY_SGD, twice_as_fast())], BY_SGD)
    assert judgement.evidence[0].estimate == pytest.approx(2.0)


def test_a_target_that_its_own_arm_keeps_missing_decides_nothing():
    three, two = ([40] * (8 - missed) + [None] * missed for missed in (3, 2))
    judgement = only(judged_by(BY_SGD, twice_as_fast(three)), BY_SGD)
    assert judgement.here is INCONCLUSIVE
    assert "has a target that SGD, which set it, missed in 38% of its seeds" in judgement.reason
    assert only(judged_by(BY_SGD, twice_as_fast(two)), BY_SGD).here is SUPPORTED


@pytest.mark.parametrize("level", ["easier", "harder"])
def test_a_verdict_that_changes_with_the_target_is_inconclusive(level):
    other = target_set_by("SGD", **{level: TARGET / 2})  # which nothing reaches
    judgement = only(judged_by(other, twice_as_fast()), other)
    assert (judgement.as_stated, judgement.here) == (INCONCLUSIVE, INCONCLUSIVE)
    assert judgement.reason.startswith("The verdict depends on the target: supported at the nominal one, ")
    assert f"inconclusive at the {level}" in judgement.reason


def better(runs, loss):
    """The runs, with another final validation loss."""
    changed = []
    for run in runs:
        *before, last = run.measured.evaluations
        measured = replace(run.measured, evaluations=(*before, replace(last, validation_loss=loss)))
        changed.append(replace(run, measured=measured))
    return changed


def test_a_reference_that_is_not_the_best_first_order_arm_is_refused():
    adamw = better(trainings("AdamW", [40] * 8, **ADAMW), 0.4)
    judgement = only(judged_by(BY_SGD, [*twice_as_fast(), *adamw]), BY_SGD)
    assert judgement.here is NOT_TESTED
    assert judgement.reason == (
        "On autoencoder nothing is compared: AdamW has a better median final validation loss than SGD, which set the "
        "target (0.4 against 0.5 over 8 seeds). Name AdamW as the reference."
    )


def test_where_nothing_could_be_compared_anyway_it_says_so_first():
    judgement = only(twice_as_fast(), BY_SGD, claim=FASTER_THAN_KFAC)
    assert judgement.reason == "On autoencoder there are no runs of kfac."


def test_a_first_order_arm_that_is_as_good_or_worse_does_not_stand_in_the_way():
    for loss in (0.5, 0.6):
        adamw = better(trainings("AdamW", [40] * 8, **ADAMW), loss)
        assert only(judged_by(BY_SGD, [*twice_as_fast(), *adamw]), BY_SGD).here is SUPPORTED


def test_a_better_arm_of_another_order_does_not_stand_in_the_way():
    eva = better(trainings("Eva", [20] * 8), 0.1)
    runs = [*timed(), *trainings("SGD", [40] * 8), *eva]
    assert only(judged_by(BY_SGD, runs), BY_SGD).here is SUPPORTED


def test_an_arm_whose_runs_diverged_is_not_better():
    adamw = [failed(training("AdamW", seed, 40, **ADAMW), "diverged") for seed in range(1, 9)]
    assert only(judged_by(BY_SGD, [*twice_as_fast(), *adamw]), BY_SGD).here is SUPPORTED


def test_a_claim_of_two_budgets_takes_the_target_of_the_references_own():
    short, long = BY_SGD, target_set_by("SGD", 0.5, budget=144)
    runs = [
        *timed(),
        *judged_by(short, trainings("Eva", [20] * 8)),
        *judged_by(short, trainings("SGD", [40] * 8)),
        *judged_by(long, trainings("SGD", [100] * 8, budget=144)),
    ]
    stated = replace(OURS, conditions=(replace(HERE, base_epochs=4),))
    judgement = only(runs, short, long, claim=stated)
    assert judgement.here is SUPPORTED
    assert judgement.evidence[0].estimate == pytest.approx(5.0)
    unreachable = replace(long, value=0.1)
    again = [*runs[:-8], *judged_by(unreachable, trainings("SGD", [100] * 8, budget=144))]
    assert only(again, short, unreachable, claim=stated).here is INCONCLUSIVE


def test_a_target_of_another_budget_is_another_target():
    long = target_set_by("SGD", budget=144)
    judgement = only(judged_by(long, twice_as_fast()), long)
    assert judgement.here is NOT_TESTED


def test_a_target_is_a_number_or_a_reference_and_its_place_is_told():
    assert Target(reference="SGD", at=0.75).metric == "loss"
    with pytest.raises(ValueError, match="give value, a number with its provenance, or reference"):
        Target(value=0.5, provenance="a guess", reference="SGD")
