"""The claims that ship: of many optimizers, with sources and words, and with what would decide each."""

from collections import Counter

import pytest

from evabench.claims.deciding import deciders, sizes
from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.claims.reading import claims_about, shipped_claims, shipped_files
from evabench.findings.findings import make_findings
from evabench.settings.methods import METHODS, method_of
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.suite.reading import read_suite
from evabench.suite.shipped import list_shipped, shipped_suites
from tests.reporting.reports import suite
from tests.runs import ARMS, visits

CLAIMS = {claim.id: claim for claim in shipped_claims()}
SIZES = sizes(map(read_suite, shipped_suites()))


def test_an_id_names_one_claim_of_all_files():
    assert [name for name, times in Counter(claim.id for claim in shipped_claims()).items() if times > 1] == []


def test_the_question_is_asked_of_everyone():
    asked = {claim.arm for claim in shipped_claims()}
    assert asked >= {"eva", "kfac", "shampoo", "muon", "soap", "lion", "sophia", "mkor"}
    assert asked >= {"schedule_free_adamw", "schedule_free_sgd"}
    assert "Independent results on Eva" in {file.title for file in shipped_files()}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_has_the_words_of_its_source_or_says_why_not(claim):
    told = {"Eva-4bit", "Eva-MKOR-accuracy", "Eva-MAC-cost", "C3-growth"}  # those that nobody could read, or a figure
    assert (claim.words is None) == (claim.id in told)
    assert claim.source != "this suite"
    assert claim.reason


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_is_decided_by_the_suites_that_its_file_names_or_says_what_is_missing(claim):
    found = deciders(claim, SIZES)
    assert {size.name for size in found.as_stated} == set(claim.decided_by)
    assert bool(found.lacking) == (not claim.decided_by)


def test_what_is_missing_names_the_arm_and_the_way_to_have_one():
    lacking = " ".join(deciders(CLAIMS["Lion-memory"], SIZES).lacking)
    assert 'No suite that ships has an arm of Lion. Give a suite one: optimizer = "plugin", name = "pyt' in lacking
    assert "Sophia: its estimate of the Hessian" in " ".join(deciders(CLAIMS["Sophia-time"], SIZES).lacking)


def test_muon_and_soap_are_measured_by_suites_of_their_own_conditions():
    assert "language" in {size.name for size in deciders(CLAIMS["Muon-2x"], SIZES).here}
    peers = next(size for size in SIZES if (size.name, size.tier) == ("peers", "laptop"))
    assert {"muon", "soap", "shampoo", "psgd_kron"} <= set(map(method_of, peers.arms.values()))


def test_a_plug_in_is_judged_as_the_method_that_it_implements(monkeypatch):
    monkeypatch.setitem(ARMS, "Adagrad", PluginSettings(name="torch.optim:Adagrad"))
    runs = [*visits("Shampoo", 0.06, num=8), *visits("Adagrad", 0.01, num=8)]
    (judgement,) = judge_claims([CLAIMS["Shampoo-step"]], make_findings(runs))
    assert (judgement.as_stated, judgement.here) == (Verdict.NOT_TESTED, Verdict.REFUTED)
    assert {(one.arm, one.base) for one in judgement.evidence} == {("Shampoo", "Adagrad")}


def test_a_suite_is_asked_only_what_compares_two_of_its_optimizers():
    lion = {"Lion": PluginSettings(name="pytorch_optimizer:Lion")}
    assert claims_about(suite(arms=lion)) == ()
    asked = claims_about(suite(arms=lion | {"AdamW": read_suite("peers").arms["AdamW"]}))
    assert {claim.arm for claim in asked} == {"lion"}


def test_every_plug_in_of_a_method_is_named_as_a_suite_would():
    for method in METHODS.values():
        for name in method.plugins:
            assert PluginSettings(name=name).name == name


def test_a_list_has_the_data_and_the_claims_that_building_each_suite_would_find():
    for listed in list_shipped():
        built = read_suite(listed.name)
        data = {"noise" if one.data == "gaussian_noise" else one.data for one in built.workloads.values()}
        assert set(listed.data) == data
        own = [claim.id for claim in built.claims]
        named = [claim.id for claim in shipped_claims() if listed.name in claim.decided_by]
        assert list(listed.claims) == [*own, *named]
