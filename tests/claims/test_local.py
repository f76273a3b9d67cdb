"""What a suite asks of its own arms: by name, here alone, and refutable."""

from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.claims.local import declared_claims, pairwise_claims
from evabench.findings.findings import make_findings
from evabench.reporting.tables.pairs import pair_lines
from evabench.settings.claims import Claim
from evabench.settings.plugin_optimizers import PluginSettings
from tests.reporting import reports
from tests.runs import ARMS, NET, TARGETS, failed, memory, trainings, vectors, visits

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict


@pytest.fixture(autouse=True)
def _mine(monkeypatch):
    monkeypatch.setitem(ARMS, "Mine", ARMS["Eva"])


def claim(quantity="time_to_target_ratio", relation="at_least", value=1.0, **changes):
    fields = {"arm": "Mine", "bases": ("SGD",), "text": "Mine is better.", "reason": "a test"}
    return Claim(id="T", quantity=quantity, relation=relation, value=value, local=True, **(fields | changes))


def only(claim, runs):
    (judgement,) = judge_claims([claim], make_findings(runs, TARGETS))
    return judgement


def sooner(arm="Mine", steps=20, seconds=0.01):
    return [
        *visits("SGD", 0.010),
        *visits(arm, seconds),
        *trainings("SGD", [40] * 8),
        *trainings(arm, [steps] * 8),
    ]


def test_a_local_claim_speaks_of_an_arm_by_its_name_and_is_answered_once():
    judgement = only(claim(), [*sooner(), *sooner("Eva", 60)[7:]])
    assert (judgement.here, judgement.as_stated, judgement.differences) == (SUPPORTED, SUPPORTED, ())
    assert {one.arm for one in judgement.evidence} == {"Mine"}


def test_a_local_claim_can_be_refuted_here():
    assert only(claim(), sooner(steps=64)).here is REFUTED


def test_a_claim_about_some_workloads_is_judged_on_these_and_no_others():
    other = {"name": "other", "net": replace(NET, batch=125)}
    lost = [*visits("SGD", 0.01, **other), *visits("Mine", 0.09, **other)]
    cheap = claim("step_time_ratio", "at_most", workloads=("autoencoder",))
    assert only(cheap, [*sooner(), *lost]).here is SUPPORTED
    assert only(replace(cheap, workloads=()), [*sooner(), *lost]).here is REFUTED
    assert only(replace(cheap, workloads=("autoencoder", "absent")), sooner()).here is INCONCLUSIVE


def test_steps_to_the_target_need_no_timing():
    judgement = only(claim("steps_to_target_ratio", value=1.5), [one for one in sooner() if one.visit is None])
    assert judgement.here is SUPPORTED
    assert judgement.evidence[0].estimate == pytest.approx(2.0)


def test_a_tensor_peak_is_counted_so_one_run_decides():
    runs = [memory("SGD", 1.0, 0), memory("Mine", 1.0, vectors(NET))]
    judgement = only(claim("tensor_peak_ratio", "at_most", 1.1), runs)
    ratio = (2515 + vectors(NET)) / 2515
    assert judgement.evidence[0].estimate == pytest.approx(ratio)
    assert judgement.here is REFUTED
    assert only(claim("tensor_peak_ratio", "at_most", ratio, tolerance=0.0), runs).here is SUPPORTED


@pytest.mark.parametrize(
    ("relation", "value", "verdict"),
    [("at_most", 1.0, SUPPORTED), ("at_most", 0.4, REFUTED), ("not_worse_by", 0.02, SUPPORTED)],
)
def test_a_final_loss_is_a_ratio_of_arm_over_base(relation, value, verdict):
    runs = [*trainings("SGD", [None] * 8), *trainings("Mine", [20] * 8)]  # end at 1.0 and at 0.5
    judgement = only(claim("validation_loss_ratio", relation, value), runs)
    assert judgement.here is verdict
    assert judgement.evidence[0].estimate == pytest.approx(0.5)


def test_two_percent_worse_is_within_a_margin_of_three_and_not_of_one():
    def ends_at(loss, run):
        *before, last = run.measured.evaluations
        return replace(run, measured=replace(run.measured, evaluations=(*before, replace(last, validation_loss=loss))))

    worse = [ends_at(1.02 + 0.001 * run.seed, run) for run in trainings("Mine", [None] * 8)]
    runs = [*trainings("SGD", [None] * 8), *worse]
    assert only(claim("validation_loss_ratio", "not_worse_by", 0.03), runs).here is SUPPORTED
    assert only(claim("validation_loss_ratio", "not_worse_by", 0.01), runs).here is REFUTED


def test_a_loss_at_a_declared_step_is_read_there():
    runs = [*trainings("SGD", [48] * 8), *trainings("Mine", [20] * 8)]
    at_the_end = claim("validation_loss_ratio", "at_most", 0.6)
    assert only(at_the_end, runs).here is REFUTED  # both end at 0.5
    assert only(replace(at_the_end, step=40), runs).here is SUPPORTED
    assert only(replace(at_the_end, step=41), runs).here is NOT_TESTED  # nobody looked there


def test_a_run_that_diverged_has_the_worst_loss_there_is():
    runs = [*trainings("SGD", [None] * 8), *trainings("Mine", [20] * 8)]
    diverged = [failed(run, "diverged") if run.cell.arm == "Mine" and run.seed < 3 else run for run in runs]
    judgement = only(claim("validation_loss_ratio", "at_most"), diverged)
    assert judgement.here is INCONCLUSIVE
    assert "In 2 of 8 seeds only Mine failed." in judgement.evidence[0].notes


def test_the_claims_of_a_suite_are_local_and_leave_no_pairs():
    written = replace(claim(), local=False)
    declared = reports.suite(claims=(written,))
    assert declared_claims(declared) == (claim(),)
    assert pairwise_claims(declared) == ()


def test_without_claims_every_arm_is_asked_against_the_first_sgd():
    found = pairwise_claims(reports.suite())
    assert {one.bases for one in found} == {("SGD",)}
    assert [(one.arm, one.quantity) for one in found[:2]] == [
        ("Eva", "step_time_ratio"),
        ("Eva", "time_to_target_ratio"),
    ]
    assert len(found) == 2 * (len(reports.suite().arms) - 1)


def test_the_reference_is_sgd_by_whatever_name_or_else_the_first_arm():
    own = PluginSettings(name="torch.optim:SGD", options={"lr": 0.1})
    assert reports.suite(arms={"Eva": ARMS["Eva"], "plain": own}).reference_arm == "plain"
    assert reports.suite(arms={"Eva": ARMS["Eva"], "K-FAC@1": ARMS["K-FAC@1"]}).reference_arm == "Eva"


def test_of_two_equal_arms_none_is_refuted():
    twins = reports.suite(arms={"SGD": ARMS["SGD"], "Mine": ARMS["Eva"]})
    found = judge_claims(pairwise_claims(twins), make_findings(sooner(steps=40), TARGETS))
    assert REFUTED not in {one.here for one in found}


def test_a_pair_is_one_line():
    suite = reports.suite(arms={"SGD": ARMS["SGD"], "Mine": ARMS["Eva"]})
    report = reports.make_report(suite, sooner(seconds=0.012))
    (line,) = pair_lines(report)
    assert line == (
        "Mine against SGD: step 1.2000x [1.2000, 1.2000], no dearer: refuted; "
        "reaches the target 1.67x [1.54, 1.96] as fast, no later: supported (SGD tried at one rate). "
        "SGD was tried at no other learning rate: a better one may exist."
    )


def test_a_pair_of_which_one_misses_says_which_and_shows_no_ratio():
    suite = reports.suite(arms={"SGD": ARMS["SGD"], "Mine": ARMS["Eva"]})
    missing = [*visits("SGD", 0.01), *visits("Mine", 0.01), *trainings("SGD", [40] * 8), *trainings("Mine", [None] * 8)]
    (line,) = pair_lines(reports.make_report(suite, missing))
    assert (
        "does not reach the target, unlike SGD, no later: refuted (SGD tried at one rate; Mine tried at one rate)."
        in line
    )
    assert "0x" not in line.split(";")[1]


def test_a_pair_that_is_undecided_says_why_behind_its_answers():
    suite = reports.suite(arms={"SGD": ARMS["SGD"], "Mine": ARMS["Eva"]})
    weak = [
        *visits("SGD", 0.01),
        *visits("Mine", 0.01),
        *trainings("SGD", [40] * 4 + [None] * 4),
        *trainings("Mine", [20] * 8),
    ]
    (line,) = pair_lines(reports.make_report(suite, weak))
    why = "It cannot be decided: autoencoder has a weak base: SGD missed the target in 4 of 8 seeds"
    assert line.endswith(f"no later: inconclusive. {why}.")
