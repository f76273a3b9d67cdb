"""The first screen: one sentence, a strip a decided claim, the picture that tells the story, and how to repeat it."""

import re
from dataclasses import replace
from typing import get_args

import pytest

from evabench.claims.audit import Audit, Question
from evabench.claims.judgement import Verdict
from evabench.reporting.cards import verdict_groups
from evabench.reporting.first_screen import first_screen
from evabench.reporting.first_sentence import behind, sentence
from evabench.reporting.html import render_html
from evabench.reporting.meanings import MEANINGS, unit_of
from evabench.reporting.open_claims import open_claims
from evabench.reporting.sections import make_document, sections
from evabench.settings.claims import Claim, Quantity
from tests import runs as made
from tests.reporting.reports import document, make_report, suite


def cheaper(value, headline=True):
    return Claim(
        id="cheaper", text="A step of Eva costs no more than one of K-FAC@1.", quantity="step_time_ratio", arm="Eva",
        bases=("K-FAC@1",), relation="at_most", value=value, tolerance=0.0, reason="1: no more.", headline=headline,
    )  # fmt: skip


def report_of(*claims, num=8, **changes):
    known = [*made.visits("SGD", 0.01, num), *made.visits("K-FAC@1", 0.07, num)]
    runs = [*known, *made.noisy(made.visits("Eva", 0.011, num))]
    return make_report(suite(claims=claims, **changes), runs)


def screen(*claims, **changes):
    report = report_of(*claims, **changes)
    return first_screen(report, sections(report))


def test_the_answer_is_one_sentence_with_verdict_number_and_interval_and_one_of_what_it_rests_on():
    found = screen(cheaper(1.0))
    assert re.fullmatch(
        r"Supported: A step of Eva costs no more than one of K-FAC@1 \(0\.16\S* \[\S+, \S+\]\)\.", found.answer
    )
    assert found.behind == "Measured in 8 pairs on the net autoencoder."


def test_a_number_of_too_few_pairs_has_no_interval_and_says_so():
    found = screen(cheaper(1.0), num=5)
    assert re.fullmatch(r"Inconclusive: .* \(0\.16\S*, too few for an interval\)\.", found.answer)
    assert "needs 6 timing pairs, has 5" in found.behind


def judged(**changes):
    found = next(one for one in report_of(cheaper(1.0)).judgements if one.claim_id == "cheaper")
    return replace(found, **changes)


def whole(judgement):
    return f"{sentence(judgement)} {behind(judgement)}"


GRADIENT = "Eva follows the gradient (median cosine 1.0000): what was compared is a learning rate."
WITHOUT = "Eva without its curvature (off) ends at most 2% higher: this is not about the curvature."
CLAUSES = ("about a learning rate", "its ablation does as well")


def test_what_a_verdict_is_not_about_is_a_clause_of_the_first_sentence_and_told_whole_behind_it():
    found = whole(judged(first=(GRADIENT, WITHOUT), clauses=CLAUSES))
    assert found.startswith("Supported (about a learning rate; its ablation does as well): A step of Eva ")
    assert found.endswith(f"on the net autoencoder. {GRADIENT} {WITHOUT}")


def test_of_many_remarks_two_are_said_and_the_others_counted():
    found = whole(judged(first=(GRADIENT, WITHOUT, "A", "B", "C"), clauses=(*CLAUSES, "a", "b", "c")))
    assert found.startswith("Supported (about a learning rate; its ablation does as well; 3 more): ")
    assert found.endswith(f"{GRADIENT} {WITHOUT} 3 more such remarks stand at the claim.")


def test_noes_of_the_audit_are_counted_beside_the_verdict_and_named_behind_it():
    asked = [Question(text, "no", "it was not") for text in ("trials equal?", "schedule fully decayed?")]
    one, two = (
        judged(audits=(Audit(workload="w", arm="Eva", base="SGD", questions=tuple(questions)),))
        for questions in (asked[:1], asked)
    )
    assert whole(one).startswith("Supported (audit: 1 no): A step")
    assert whole(one).endswith("Audit: trials equal? no.")
    assert whole(two).startswith("Supported (audit: 2 no): A step")
    assert whole(two).endswith("Audit: trials equal? no; schedule fully decayed? no.")


def test_an_undecided_verdict_says_why_behind_its_number():
    reason = "It cannot be decided: mlp has a weak base: SGD missed the target in 4 of 8 seeds. More follows."
    found = whole(judged(here=Verdict.INCONCLUSIVE, as_stated=Verdict.INCONCLUSIVE, reason=reason))
    assert found.startswith("Inconclusive: A step of Eva costs no more than one of K-FAC@1 (0.16")
    why = "It cannot be decided: mlp has a weak base: SGD missed the target in 4 of 8 seeds."
    assert found.endswith(f"). {why} Measured in 8 pairs on the net autoencoder.")


def test_what_was_not_tested_has_a_reason_and_no_number():
    found = judged(here=Verdict.NOT_TESTED, as_stated=Verdict.NOT_TESTED, reason="Not tested: Eva skipped 9 steps.")
    assert whole(found) == "Not tested: A step of Eva costs no more than one of K-FAC@1. Eva skipped 9 steps."


def test_a_decided_claim_is_a_strip_with_threshold_and_gauge():
    strip = next(one for one in screen(cheaper(1.0)).strips if one.id == "cheaper")
    assert strip.verdict is Verdict.SUPPORTED
    assert (strip.threshold, strip.rests_on) == ("at most 1x", "8 pairs")
    assert strip.gauge.low < strip.gauge.estimate < strip.gauge.high < strip.gauge.threshold


def test_an_undecided_claim_is_no_strip_but_counted():
    found = screen(cheaper(1.0), num=3)
    assert "cheaper" not in [strip.id for strip in found.strips]
    assert "1 claim of this suite: undecided" in found.open


def test_published_claims_are_counted_apart_from_those_of_the_suite():
    (published,) = [line for line in screen(cheaper(1.0)).open if "of this suite" not in line]
    number, rest = published.split(" published claims about these optimizers: ")
    assert rest.endswith("not tested here")
    parts = rest.split(", ")
    assert len(parts) == 1 or sum(int(part.split()[0]) for part in parts) == int(number)


def test_more_claims_of_a_suite_are_said_beside_those_that_are_shown():
    told = open_claims((judged(), judged(here=Verdict.INCONCLUSIVE)), (judged(),))
    assert told == ("1 more claim of this suite: undecided",)


def test_a_strip_says_of_what_its_number_is_and_which_way_is_which():
    strip = next(one for one in screen(cheaper(1.0)).strips if one.id == "cheaper")
    assert (strip.unit, strip.gauge.less, strip.gauge.more) == ("the time of a step", "cheaper", "dearer")
    page = render_html(make_document(report_of(cheaper(1.0))))
    assert "</strong> the time of a step" in page
    assert "&larr; cheaper" in page


@pytest.mark.parametrize("quantity", get_args(Quantity))
def test_every_quantity_has_words_for_its_number(quantity):
    assert MEANINGS[quantity].unit or quantity == "curvature_growth"


@pytest.mark.parametrize("estimate", ["", "the arm missed", "the base missed [1.2x or more]"])
def test_what_is_no_number_has_no_unit(estimate):
    assert unit_of("time_to_target_ratio", estimate) == ""


def test_a_claim_about_other_conditions_is_no_strip_beside_those_decided_as_stated():
    found = screen(cheaper(1.0))
    assert [strip.verdict_words for strip in found.strips if strip.id == "cheaper"] == ["supported"]
    assert not [strip.id for strip in found.strips if strip.verdict_words.endswith("here")]


def test_where_nothing_is_decided_as_stated_a_strip_says_here():
    assert sentence(judged(as_stated=Verdict.NOT_TESTED)).startswith("Supported here: ")


def test_the_picture_is_that_of_the_quantity_of_the_headline():
    assert screen(cheaper(1.0)).picture.address == "step-time.autoencoder"


def test_host_noise_and_the_command_of_a_suite_in_a_file_are_on_the_first_screen():
    found = screen(cheaper(1.0))
    assert "a plain CPU" in found.facts[0].text
    assert found.facts[1].text.startswith("Noise: two visits of a pair differ by ")
    assert found.command == "evabench run made-up.toml"


def test_a_suite_whose_only_tested_claim_is_open_says_which_and_why():
    found = screen(cheaper(1.0, headline=False), num=3)
    assert found.answer.startswith("Inconclusive: A step of Eva costs no more than one of K-FAC@1 (")
    assert "needs 6 timing pairs, has 3" in found.behind


def test_a_suite_without_a_headline_says_what_its_claims_came_to():
    found = screen()
    assert found.answer


def test_the_picture_of_the_first_screen_is_in_the_page_once():
    page = render_html(document())
    address = document().first.picture.address
    assert page.count(f'id="{address}"') == 1
    assert page.count("The picture at the head of the page belongs here") == 1


def test_every_address_is_there_once_also_where_two_names_come_to_one():
    nets = {"a b": made.NET, "a-b": replace(made.NET, batch=50)}
    runs = [
        replace(one, key=f"{name}{one.key}", cell=replace(one.cell, workload_name=name, workload=net))
        for name, net in nets.items()
        for arm in ("SGD", "Eva")
        for one in made.visits(arm, 0.01)
    ]
    found = make_document(make_report(suite(workloads=nets, convergence=None), runs))
    addresses = [figure.address for figure in found.figures]
    assert "cost.a-b-2" in addresses
    assert len(addresses) == len(set(addresses))


def test_a_strip_leads_to_the_card_that_says_more():
    page = render_html(document())
    for group in verdict_groups(document().report):
        for card in group.cards:
            assert page.count(f'id="{card.address}"') == 1
    for strip in document().first.strips:
        assert f'href="#{strip.address}"' in page


def test_an_estimate_of_several_comparisons_goes_from_the_lowest_to_the_highest():
    judged = next(one for one in report_of(cheaper(1.0)).judgements if one.claim_id == "cheaper")
    (first, *_) = judged.evidence
    two = [replace(first, workload=name, estimate=at, low=at, high=at) for name, at in (("a", 1.01), ("b", 1.0))]
    assert " (1.00x [1.00, 1.00] to 1.01x [1.01, 1.01]). Measured in 2 comparisons on 2 nets." in whole(
        replace(judged, evidence=tuple(two))
    )


def test_beside_open_claims_of_its_own_a_page_begins_with_no_claim_that_is_about_other_conditions():
    found = screen(cheaper(1.0), num=3)
    assert not [strip.id for strip in found.strips if strip.verdict_words.endswith("here")]
