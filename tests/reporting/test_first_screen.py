"""The first screen: one sentence, a strip a decided claim, the picture that tells the story, and how to repeat it."""

from dataclasses import replace

from evabench.claims.judgement import Verdict
from evabench.reporting.cards import verdict_groups
from evabench.reporting.first_screen import first_screen, sentence
from evabench.reporting.html import render_html
from evabench.reporting.sections import make_document, sections
from evabench.settings.claims import Claim
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


def test_the_answer_is_one_sentence_with_verdict_number_interval_and_n():
    answer = screen(cheaper(1.0)).answer
    assert answer.startswith("Supported: A step of Eva costs no more than one of K-FAC@1 (0.16")
    assert answer.endswith("; 8 pairs; autoencoder).")
    assert "[" in answer


def test_a_decided_claim_is_a_strip_with_threshold_and_gauge():
    strip = next(one for one in screen(cheaper(1.0)).strips if one.id == "cheaper")
    assert strip.verdict is Verdict.SUPPORTED
    assert (strip.threshold, strip.rests_on) == ("at most 1x", "8 pairs")
    assert strip.gauge.low < strip.gauge.estimate < strip.gauge.high < strip.gauge.threshold


def test_an_undecided_claim_is_no_strip_but_counted():
    found = screen(cheaper(1.0), num=3)
    assert "cheaper" not in [strip.id for strip in found.strips]
    assert found.num_open >= 1


def test_a_claim_about_other_conditions_is_no_strip_beside_those_decided_as_stated():
    found = screen(cheaper(1.0))
    assert [strip.verdict_words for strip in found.strips if strip.id == "cheaper"] == ["supported"]
    assert not [strip.id for strip in found.strips if strip.verdict_words.endswith("here")]


def test_where_nothing_is_decided_as_stated_a_strip_says_here():
    judged = next(one for one in report_of(cheaper(1.0)).judgements if one.claim_id == "cheaper")
    assert sentence(replace(judged, as_stated=Verdict.NOT_TESTED)).startswith("Supported here: ")


def test_the_picture_is_that_of_the_quantity_of_the_headline():
    assert screen(cheaper(1.0)).picture.address == "step-time.autoencoder"


def test_host_noise_and_the_command_of_a_suite_in_a_file_are_on_the_first_screen():
    found = screen(cheaper(1.0))
    assert "a plain CPU" in found.facts[0]
    assert found.facts[1].startswith("Noise: two visits of a pair differ by ")
    assert found.command == "evabench run made-up.toml"


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
    assert " (1.00x [1.00, 1.00] to 1.01x [1.01, 1.01]; " in sentence(replace(judged, evidence=tuple(two)))
