"""Validity before verdict: not tested, inconclusive, and what a verdict says first, in this order."""

from dataclasses import replace

import pytest

from evabench.claims.audit import audit
from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.claims.validity import said_first
from evabench.findings.checks import failed_checks
from evabench.findings.findings import make_findings
from evabench.records.health import Health
from evabench.records.trivial import TrivialLevel
from evabench.reporting.tables.headlines import headline
from evabench.reporting.tables.verdicts import answer, audit_counts, audit_table
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
CHECK = training("SGD", 1, None, optimizer=at_rate(ARMS["SGD"], 3 * ARMS["SGD"].lr))
RUNS = [
    *visits("SGD", 0.01),
    *visits("Eva", 0.01),
    *trainings("SGD", [40] * 8),
    *trainings("Eva", [20] * 8),
    replace(CHECK, key="check", cell=replace(CHECK.cell, role="rate_check")),
]
OFF = replace(ARMS["Eva"], vectors="off")


def only(claim, runs, **more):
    more = {"ablations": {"off": "Eva"}} | more
    (judgement,) = judge_claims([claim], make_findings(runs, TARGETS, **more))
    return judgement


def with_health(arm, **counts):
    health = Health(num_layers=2, **({"layers_without_statistics": ()} | counts))
    return [replace(run, health=health) if run.cell.arm == arm and run.visit is None else run for run in RUNS]


UNWELL = {
    "fall-back": (
        {"layers_without_statistics": ("encoder.0",)},
        "Eva took plain gradient steps in encoder.0 (seed 1).",
    ),
    "steps": ({"skipped_steps": {"encoder.0": 2}}, "Eva skipped 2 of 72 steps (seed 1)."),
    "refreshes": ({"num_stale_refreshes": 3}, "Eva kept an old curvature at 3 of 144 refreshes of a layer (seed 1)."),
}


@pytest.mark.parametrize("name", UNWELL)
def test_an_arm_that_is_not_what_it_is_called_is_not_tested_in_either_direction(name):
    counts, sentence = UNWELL[name]
    for claim in (SOONER, replace(SOONER, relation="at_most")):  # one was supported, one refuted
        judgement = only(claim, with_health("Eva", **counts))
        assert (judgement.here, judgement.as_stated) == (NOT_TESTED, NOT_TESTED)
        assert judgement.reason == f"Not tested: {sentence}"


def test_a_base_that_fails_a_check_is_as_bad():
    assert only(SOONER, with_health("SGD", skipped_steps={"encoder.0": 72})).here is NOT_TESTED


def test_what_happens_below_one_in_a_hundred_is_no_failure():
    (arm,) = (one for one in make_findings(with_health("Eva", num_stale_refreshes=1)).arms if one.name == "Eva")
    assert failed_checks(arm) == ()


def test_invalid_goes_before_a_weak_base():
    runs = [failed(run, "diverged") if run.cell.arm == "SGD" and run.visit is None else run for run in RUNS]
    assert only(SOONER, runs).here is INCONCLUSIVE
    eva = [run for run in with_health("Eva", skipped_steps={"encoder.0": 9}) if run.cell.arm == "Eva"]
    judgement = only(SOONER, [*(run for run in runs if run.cell.arm == "SGD"), *eva])
    assert judgement.here is NOT_TESTED


@pytest.fixture
def _ablation(monkeypatch):
    monkeypatch.setitem(ARMS, "off", OFF)


@pytest.mark.usefixtures("_ablation")
def test_an_ablation_that_is_as_good_is_what_the_verdict_says_first():
    judgement = only(SOONER, [*RUNS, *trainings("off", [20] * 8)])
    assert judgement.here is SUPPORTED
    assert judgement.first == (
        "Eva without its curvature (off) ends at most 2% higher: this is not about the curvature.",
    )
    assert answer(judgement).startswith("Supported (its ablation does as well): Eva is sooner than SGD.")
    assert answer(judgement).endswith(judgement.first[0])


@pytest.mark.usefixtures("_ablation")
@pytest.mark.parametrize(("steps", "seeds"), [(None, 8), (20, 7)])
def test_an_ablation_that_is_worse_or_has_too_few_seeds_says_nothing(steps, seeds):
    assert only(SOONER, [*RUNS, *trainings("off", [steps] * seeds)]).first == ()


@pytest.mark.usefixtures("_ablation")
def test_whose_ablation_an_arm_is_says_the_suite_and_neither_its_name_nor_its_settings():
    runs = [*RUNS, *trainings("off", [20] * 8)]
    assert only(SOONER, runs, ablations={}).first == ()
    assert only(SOONER, runs, ablations={"off": "Shampoo"}).first == ()
    other = [*RUNS, *trainings("K-FAC@10", [20] * 8)]
    said = only(SOONER, other, ablations={"K-FAC@10": "Eva"}).first[0]
    assert said.startswith("Eva without its curvature (K-FAC@10)")


@pytest.mark.usefixtures("_ablation")
def test_a_claim_about_the_ablation_itself_is_not_doubled():
    lower = replace(SOONER, quantity="validation_loss_ratio", relation="at_most", bases=("off",))
    judgement = only(lower, [*RUNS, *trainings("off", [20] * 8)])
    assert judgement.first == ("off was tried at no other learning rate: a better one may exist.",)


class Followed:
    """What an arm followed, as far as a verdict asks."""

    followed = "direction"

    def __init__(self, cosine):
        self.cosine, self.is_gradient = cosine, cosine >= 0.999


class Arm:
    """An arm whose directions were probed."""

    def __init__(self, arm, cosine):
        self._arm, self.followed = arm, Followed(cosine)

    def __getattr__(self, name):
        return getattr(self._arm, name)


def arms_of(runs=RUNS):
    return {arm.name: arm for arm in make_findings(runs, TARGETS).arms}


@pytest.mark.parametrize(("cosine", "said"), [(0.9999, True), (0.5, False)])
def test_an_arm_that_follows_the_gradient_is_named_before_the_verdict(cosine, said):
    arms = arms_of()
    eva = Arm(arms["Eva"], cosine)
    first = said_first(eva, arms["SGD"], ())
    assert bool(first) is said
    if said:
        assert first[0].sentence.startswith("Eva follows the gradient (median cosine 0.9999): what was compared is a ")
        assert first[0].clause == "about a learning rate"
    answers = answers_of(audit(eva, arms["SGD"], (), ()))
    assert answers["second-order at all?"] == ("no" if said else "yes")


def answers_of(audited):
    return {one.text: one.answer for one in audited.questions}


def tried(arm, settings, loss, seed=1000):
    run = training(arm, seed, None)
    *before, last = run.measured.evaluations
    measured = replace(run.measured, evaluations=(*before, replace(last, validation_loss=loss)))
    return replace(run, cell=replace(run.cell, optimizer=settings, role="tuning"), measured=measured)


def grid(arm, best, losses):
    rates = [best.lr / 3, best.lr, best.lr * 3]
    return [tried(arm, replace(best, lr=rate), loss) for rate, loss in zip(rates, losses, strict=True)]


def audited(trials, runs=RUNS):
    (found,) = only(SOONER, runs, trials=trials).audits
    return answers_of(found)


def test_without_trials_what_they_would_tell_is_unknown_and_nobody_is_accused():
    found = audited([])
    assert found["trials equal?"] == found["best value inside its range?"] == found["weight decay tuned?"] == "unknown"
    assert found["same batch and data?"] == "unknown"
    assert found["schedule fully decayed?"] == found["refresh interval tuned?"] == "yes"
    assert "no" not in found.values()


def test_equal_trials_whose_best_lies_inside_are_a_fair_fight_but_for_the_weight_decay():
    found = audited([*grid("SGD", ARMS["SGD"], (0.5, 0.4, 0.6)), *grid("Eva", ARMS["Eva"], (0.5, 0.4, 0.6))])
    assert found["trials equal?"] == found["best value inside its range?"] == found["exploration equal?"] == "yes"
    assert found["weight decay tuned?"] == "no"


def test_a_best_value_at_an_edge_and_fewer_trials_are_told():
    found = audited([*grid("SGD", ARMS["SGD"], (0.5, 0.4, 0.3))[:2], *grid("Eva", ARMS["Eva"], (0.5, 0.4, 0.6))])
    assert found["trials equal?"] == found["best value inside its range?"] == "no"


def test_settings_that_no_trial_has_were_found_elsewhere():
    other = replace(ARMS["SGD"], momentum=0.5)
    found = audited([*grid("SGD", other, (0.5, 0.4, 0.6)), *grid("Eva", ARMS["Eva"], (0.5, 0.4, 0.6))])
    assert found["exploration equal?"] == "no"


def test_a_constant_rate_is_no_fully_decayed_schedule():
    constant = [
        replace(run, cell=replace(run.cell, measurement=replace(run.cell.measurement, schedule="constant")))
        if run.visit is None
        else run
        for run in RUNS
    ]
    assert audited([], constant)["schedule fully decayed?"] == "no"


def test_a_fused_kernel_of_torchs_own_is_the_fastest_public_one():
    fused = replace(ARMS["SGD"], fused=True)
    runs = [replace(run, cell=replace(run.cell, optimizer=fused)) if run.cell.arm == "SGD" else run for run in RUNS]
    assert audited([], runs)["implementation within 10 % of the fastest public one?"] == "yes"


def test_who_learned_nothing_in_a_seed_is_not_above_the_trivial_level():
    level = TrivialLevel(name="the mean image", validation_loss=0.5)
    runs = [
        replace(run, measured=replace(run.measured, trivial_levels=(level,))) if run.visit is None else run
        for run in RUNS
    ]
    assert audited([], runs)["above the trivial level?"] == "no"
    low = replace(level, validation_loss=5.0)
    deep = [
        replace(run, measured=replace(run.measured, trivial_levels=(low,))) if run.visit is None else run
        for run in RUNS
    ]
    assert audited([], deep)["above the trivial level?"] == "yes"


def test_a_no_is_in_the_headline_and_the_table_has_every_question():
    judgement = only(
        SOONER, RUNS, trials=[*grid("SGD", ARMS["SGD"], (0.5, 0.4, 0.6)), *grid("Eva", ARMS["Eva"], (0.5, 0.4, 0.6))]
    )
    assert headline(judgement) == "supported (audit: weight decay tuned? no)"
    assert answer(judgement).startswith("Supported (audit: weight decay tuned? no): Eva is sooner than SGD.")
    assert audit_counts(judgement) == "Audit of SGD: 6 yes, 1 no, 3 unknown."
    assert len(audit_table(judgement).rows) == 10


def test_what_rests_on_no_training_has_no_audit():
    cheap = replace(SOONER, quantity="step_time_ratio", relation="at_most")
    assert only(cheap, RUNS).audits == ()
    assert audit_table(only(cheap, RUNS)) is None
