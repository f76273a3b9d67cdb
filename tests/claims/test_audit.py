"""Each question of the audit: which runs answer it with yes, which with no, and when nothing that is stored tells."""

from dataclasses import replace

import pytest

from evabench.claims.audit import audit
from evabench.findings.findings import make_findings
from evabench.records.checks import StepEffort, TrainingChecks, WatchedBatch
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import ARMS, TARGETS, training, trainings, visits

DATA, REFRESH, SECOND = "same batch and data?", "refresh interval tuned?", "second-order at all?"
SCHEDULE, IMPLEMENTATION = "schedule fully decayed?", "implementation within 10 % of the fastest public one?"


def answers(arm, base, runs, trials=()):
    """Return answer and reason by question, of one arm against another."""
    findings = make_findings(runs, TARGETS, trials=trials)
    arms = {one.name: one for one in findings.arms}
    found = audit(arms[arm], arms[base], findings.arms, findings.tuning)
    return {one.text: (one.answer, one.reason) for one in found.questions}


def drawing(digest, runs):
    """The runs, with the content of two of their batches."""
    effort = StepEffort(num_steps=71, cpu_seconds=0.7, first_cpu_seconds=0.01, position_cpu_seconds=(0.01,), slowest=())
    batches = tuple(
        WatchedBatch(step=step, digest=f"{digest}{step}", num_passes=1, fed_otherwise=False) for step in (0, 71)
    )
    checks = TrainingChecks(
        made_changed=(),
        order_digest=digest,
        batches=batches,
        evaluations_changed=(),
        data_changed=(),
        effort=effort,
        evaluation_cpu_seconds=0.1,
        num_evaluations=18,
        processes=None,
        state_bytes=1000,
        anonymous_bytes=None,
    )
    return [replace(run, measured=replace(run.measured, checks=checks)) for run in runs]


@pytest.mark.parametrize(
    ("eva", "sgd", "answer", "told"),
    [
        ("a", "a", "yes", "the same batches in 8 seeds"),
        ("a", "b", "no", "their batches differ in 8 of 8 seeds"),
        ("a", None, "unknown", "nobody stored which batches"),
    ],
)
def test_whether_the_batches_are_the_same_is_read_from_their_content(eva, sgd, answer, told):
    runs = [
        *(drawing(sgd, trainings("SGD", [40] * 8)) if sgd else trainings("SGD", [40] * 8)),
        *drawing(eva, trainings("Eva", [20] * 8)),
    ]
    found, reason = answers("Eva", "SGD", runs)[DATA]
    assert found == answer
    assert told in reason


def plugin(name="own.py:Mine", **more):
    return PluginSettings(name=name, options={"lr": 0.1}, **more)


def of_a_plugin(settings, *others, trials=()):
    runs = [*trainings("Eva", [20] * 8), *trainings("Base", [40] * 8, optimizer=settings)]
    runs += [run for name, other in others for run in trainings(name, [40] * 8, optimizer=other)]
    return answers("Eva", "Base", runs, trials)[REFRESH]


def test_a_plug_in_that_has_a_refresh_is_asked_for_its_interval():
    assert of_a_plugin(plugin())[0] == "yes"  # every step is alike
    assert of_a_plugin(plugin(refresh_every=5)) == ("no", "every 5 steps alone")
    at_another = ("Base@20", plugin(refresh_every=20))
    assert of_a_plugin(plugin(refresh_every=5), at_another)[0] == "yes"
    of_another_method = ("Other", plugin("own.py:Other", refresh_every=20))
    assert of_a_plugin(plugin(refresh_every=5), of_another_method)[0] == "no"


def test_which_option_of_a_plug_in_is_its_interval_nobody_says():
    trials = [
        replace(run, cell=replace(run.cell, role="tuning"))
        for every in (5, 20)
        for run in [
            training("Base", 1, None, optimizer=replace(plugin(refresh_every=5), options={"lr": 0.1, "every": every}))
        ]
    ]
    assert of_a_plugin(plugin(refresh_every=5), trials=trials)[0] == "unknown"


def test_k_fac_at_one_interval_alone_is_not_tuned_and_at_two_it_is():
    runs = [*trainings("Eva", [20] * 8), *trainings("K-FAC@10", [40] * 8)]
    assert answers("Eva", "K-FAC@10", runs)[REFRESH] == ("no", "every 10 steps alone")
    assert answers("Eva", "K-FAC@10", [*runs, *trainings("K-FAC@1", [40] * 8)])[REFRESH][0] == "yes"


def test_a_plug_in_does_not_say_that_it_is_second_order_and_of_others_somebody_has_to_look():
    runs = [*trainings("SGD", [40] * 8), *trainings("Mine", [20] * 8, optimizer=plugin()), *trainings("Eva", [20] * 8)]
    assert answers("Mine", "SGD", runs)[SECOND] == ("unknown", "Mine does not say that it is")
    assert answers("Eva", "SGD", runs)[SECOND] == ("unknown", "no directions of Eva were probed")


def test_what_was_not_trained_has_no_schedule():
    runs = [*visits("SGD", 0.01), *trainings("Eva", [20] * 8)]
    assert answers("Eva", "SGD", runs)[SCHEDULE] == ("unknown", "the base was not trained")


@pytest.mark.parametrize(("fused", "answer"), [(True, "yes"), (False, "unknown")])
def test_torchs_own_fused_kernel_is_known_to_be_the_fastest(fused, answer, monkeypatch):
    monkeypatch.setitem(ARMS, "SGD", SgdSettings(lr=1.0, fused=fused))
    runs = [*trainings("SGD", [40] * 8), *trainings("Eva", [20] * 8)]
    assert answers("Eva", "SGD", runs)[IMPLEMENTATION][0] == answer
