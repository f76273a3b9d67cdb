"""What follows where the arm that a claim speaks for is weak itself, in both directions and for every quantity."""

from dataclasses import replace
from functools import partial

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.findings.goals import Goal
from evabench.records.trivial import TrivialLevel
from evabench.settings.claims import Claim
from evabench.settings.points import at_rate
from tests.claims.test_baseline import at_another_rate, ending_at
from tests.runs import ARMS, NET, failed, memory, trainings, visits

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict
TARGETS = {"autoencoder": Goal(0.5)}
LOCAL = Claim(
    id="T",
    text="Eva is as good as SGD.",
    quantity="time_to_target_ratio",
    arm="Eva",
    bases=("SGD",),
    relation="at_least",
    value=1.0,
    reason="a test",
    local=True,
)
ELSEWHERE = replace(LOCAL, arm="eva", bases=("sgd",), local=False)
# What a paper may say of each quantity, and the same the other way round.
QUANTITIES = {
    "time_to_target_ratio": ("at_least", "at_most"),
    "steps_to_target_ratio": ("at_least", "at_most"),
    "validation_loss_ratio": ("at_most", "at_least"),
    "validation_accuracy_difference": ("not_worse_by",),
    "step_time_ratio": ("at_most", "at_least"),
    "tensor_peak_ratio": ("at_most", "at_least"),
}
EVERY = [(quantity, relation) for quantity, relations in QUANTITIES.items() for relation in relations]
LEVEL = TrivialLevel(name="the mean image", validation_loss=1.0)
SOUND = {
    arm: [*visits(arm, seconds), memory(arm, 1.0, size, name="autoencoder"), *trainings(arm, [steps] * 8)]
    for arm, seconds, size, steps in (("SGD", 0.01, 0, 40), ("Eva", 0.01, 100, 20))
}


def learned_nothing(run):
    return replace(run, measured=replace(run.measured, trivial_levels=(LEVEL,)))


HOW = {
    **{kind: partial(failed, kind=kind) for kind in ("diverged", "crashed", "timeout", "out_of_memory")},
    "learned nothing": learned_nothing,
}


def scored(runs):
    """The runs with an accuracy, where they have a loss."""

    def with_accuracy(run):
        found = tuple(replace(one, validation_accuracy=1 - one.validation_loss / 2) for one in run.measured.evaluations)
        return replace(run, measured=replace(run.measured, evaluations=found))

    return [with_accuracy(run) if hasattr(run.measured, "evaluations") else run for run in runs]


def with_weak(arm, weaken, seeds=8):
    """Runs of SGD and Eva of which one arm is weak in so many seeds: a weak run never hits the target."""
    sound = SOUND["Eva" if arm == "SGD" else "SGD"]
    timed = [run for run in SOUND[arm] if not hasattr(run.measured, "evaluations")]
    trained = trainings(arm, [40] * (8 - seeds) + [None] * seeds)
    return scored([*sound, *timed, *(weaken(run) if run.seed > 8 - seeds else run for run in trained)])


def only(claim, runs, **more):
    (judgement,) = judge_claims([claim], make_findings(runs, TARGETS, **more))
    return judgement


def asked(claim, quantity, relation):
    """Return the claim about another quantity, at a number that sound runs would decide."""
    return replace(claim, quantity=quantity, relation=relation, value=0.02 if relation == "not_worse_by" else 1.0)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("quantity", "relation"), EVERY)
@pytest.mark.parametrize("seeds", [3, 8])
def test_a_weak_arm_decides_nothing_about_a_papers_claim(quantity, relation, how, seeds):
    claim = asked(ELSEWHERE, quantity, relation)
    judgement = only(claim, with_weak("Eva", HOW[how], seeds))
    assert (judgement.here, judgement.as_stated) == (INCONCLUSIVE, INCONCLUSIVE)
    assert f"has a weak arm: Eva {'learned' if how == 'learned nothing' else 'did not get'}" in judgement.reason
    assert f"in {seeds} of 8 seeds, with settings of this suite's" in judgement.reason


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("quantity", "relation"), EVERY)
@pytest.mark.parametrize("claim", [LOCAL, ELSEWHERE])
def test_a_base_that_does_not_train_supports_nothing_whatever_the_quantity(claim, quantity, relation, how):
    judgement = only(asked(claim, quantity, relation), with_weak("SGD", HOW[how]))
    if judgement.here is REFUTED:
        assert claim.local
        assert quantity in ("step_time_ratio", "tensor_peak_ratio")
        assert "a weak base" in judgement.clauses
    else:
        assert judgement.here is INCONCLUSIVE
        assert "has a weak base: SGD " in judgement.reason


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("quantity", "relation"), EVERY)
def test_a_weak_arm_supports_nothing_that_a_suite_says_of_it(quantity, relation, how):
    judgement = only(asked(LOCAL, quantity, relation), with_weak("Eva", HOW[how]))
    assert judgement.here in (REFUTED, INCONCLUSIVE)
    if judgement.here is INCONCLUSIVE:
        assert "has a weak arm: Eva" in judgement.reason
    else:
        assert judgement.first[-1].endswith(" in 8 of 8 seeds: what was judged is its settings.")
        assert "a weak arm" in judgement.clauses


@pytest.mark.parametrize("quantity", ["time_to_target_ratio", "steps_to_target_ratio", "validation_loss_ratio"])
def test_a_suite_may_refute_what_it_claims_of_an_arm_that_fails(quantity):
    judgement = only(asked(LOCAL, quantity, QUANTITIES[quantity][0]), with_weak("Eva", HOW["diverged"]))
    assert judgement.here is REFUTED
    assert "a weak arm" in judgement.clauses


def test_two_seeds_of_eight_are_no_weak_arm():
    judgement = only(ELSEWHERE, with_weak("Eva", HOW["diverged"], 2))
    assert "weak arm" not in judgement.reason


def test_seeds_that_fail_and_seeds_that_learn_nothing_are_weak_together():
    def either(run):
        return failed(run, "crashed") if run.seed > 6 else learned_nothing(run)

    judgement = only(ELSEWHERE, with_weak("Eva", either, 4))
    assert "Eva failed or learned nothing in 4 of 8 seeds" in judgement.reason


MISSED = [*SOUND["SGD"], *visits("Eva", 0.01), *trainings("Eva", [None] * 8)]


def tried(rates, losses):
    """Trials of Eva at these rates."""
    return [
        replace(run, cell=replace(run.cell, optimizer=at_rate(ARMS["Eva"], rate), role="tuning"))
        for rate, loss in zip(rates, losses, strict=True)
        for run in ending_at("Eva", [loss, loss])
    ]


def test_a_miss_at_a_guessed_rate_decides_nothing_about_a_papers_claim():
    judgement = only(ELSEWHERE, MISSED)
    assert judgement.here is INCONCLUSIVE
    assert "has a weak arm: Eva missed the target in 8 of 8 seeds" in judgement.reason


def test_a_miss_with_the_best_settings_of_its_own_trials_is_an_answer():
    own = ARMS["Eva"].lr
    inside = tried((own / 3, own, own * 3), (0.6, 0.5, 0.6))
    assert only(ELSEWHERE, MISSED, trials=inside).here is REFUTED
    at_an_edge = tried((own / 9, own / 3, own), (0.7, 0.6, 0.5))
    assert only(ELSEWHERE, MISSED, trials=at_an_edge).here is INCONCLUSIVE


def test_a_miss_refutes_what_a_suite_says_of_its_own_arm():
    assert only(LOCAL, MISSED).here is REFUTED


@pytest.mark.parametrize(
    ("quantity", "relation"),
    [("time_to_target_ratio", "at_most"), ("steps_to_target_ratio", "at_most"), ("validation_loss_ratio", "at_least")],
)
def test_a_claim_that_an_arm_is_no_better_asks_for_its_best_rate(quantity, relation):
    mirrored = replace(asked(LOCAL, quantity, relation), arm="SGD", bases=("Eva",))
    slow = [*visits("SGD", 0.01), *trainings("SGD", [64] * 8), *visits("Eva", 0.01), *ending_at("Eva", [0.3] * 8)]
    unchecked = only(mirrored, slow)
    assert unchecked.here is SUPPORTED
    assert "SGD tried at one rate" in unchecked.clauses
    checked = only(mirrored, [*slow, *at_another_rate(3, [0.2, 0.2])])
    assert checked.here is INCONCLUSIVE
    assert "has a weak arm: SGD ends better at the learning rate 3 than in any judged seed" in checked.reason


def test_a_papers_claim_that_is_asked_the_other_way_round_is_not_refuted_by_a_bad_rate():
    mirrored = replace(
        asked(ELSEWHERE, "validation_accuracy_difference", "not_worse_by"), arm="sgd", bases=("eva",), value=0.001
    )
    slow = scored([*ending_at("SGD", [0.8] * 8), *ending_at("Eva", [0.3] * 8)])
    unchecked = only(mirrored, slow)
    assert unchecked.here is REFUTED
    assert "SGD tried at one rate" in unchecked.clauses
    checked = only(mirrored, [*slow, *scored(at_another_rate(3, [0.2, 0.2]))])
    assert checked.here is INCONCLUSIVE
    assert "has a weak arm: SGD ends better at the learning rate 3 than in any judged seed" in checked.reason


def test_a_refutation_of_an_arm_that_was_tried_at_one_rate_says_so_first():
    judgement = only(LOCAL, [*SOUND["SGD"], *visits("Eva", 0.01), *trainings("Eva", [64] * 8)])
    assert judgement.here is REFUTED
    assert judgement.first[-1] == "Eva was tried at no other learning rate: a better one may exist."


def test_what_was_never_trained_is_no_weak_arm():
    cheap = asked(ELSEWHERE, "step_time_ratio", "at_most")
    assert only(cheap, [*visits("SGD", 0.01), *visits("Eva", 0.01)]).here is SUPPORTED
    peaks = [memory("SGD", 1.0, 100, NET), memory("Eva", 1.0, 0, NET)]
    assert only(asked(ELSEWHERE, "tensor_peak_ratio", "at_most"), peaks).here is SUPPORTED


@pytest.mark.parametrize(("value", "verdict"), [(0.5, REFUTED), (2.0, INCONCLUSIVE)])
def test_what_a_step_costs_may_be_refuted_beside_a_base_that_does_not_train_and_not_supported(value, verdict):
    dearer = replace(asked(LOCAL, "tensor_peak_ratio", "at_most"), value=value)
    judgement = only(dearer, with_weak("SGD", learned_nothing))
    assert judgement.here is verdict
    if verdict is REFUTED:
        assert judgement.first[-1] == "SGD learned nothing in 8 of 8 seeds: that is no step of training."
