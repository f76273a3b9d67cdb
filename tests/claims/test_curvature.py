from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from tests.claims.eva import LESS_MEMORY, SUBLINEAR_MEMORY
from tests.runs import ARMS, NET, factors, failed, memories, memory, vectors

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = Verdict


def only(claim, runs):
    (judgement,) = judge_claims([claim], make_findings(runs))
    return judgement


def all_three(**eva):
    return [
        *memories("Eva", vectors, **eva),
        *memories("K-FAC@10", factors),
        *memories("Shampoo", factors),
    ]


def test_no_quadratic_term_for_eva_and_one_for_each_baseline_supports_the_claim_as_stated():
    judgement = only(SUBLINEAR_MEMORY, all_three())
    assert (judgement.as_stated, judgement.here, judgement.differences) == (SUPPORTED, SUPPORTED, ())
    assert "Eva has no d^2 term at 5 widths" in judgement.reason


def test_the_peak_stands_beside_the_state():
    evidence = only(SUBLINEAR_MEMORY, all_three()).evidence[0]
    assert evidence.numbers["widest_first_hidden_width"] == 500
    assert evidence.numbers["arm_curvature_state_bytes"] == vectors(NET)
    assert evidence.numbers["base_peak_bytes"] == 2515 + factors(NET)


def test_a_quadratic_term_of_eva_refutes_it():
    runs = [*memories("Eva", lambda net: vectors(net) + net.widths[1] ** 2), *all_three()[5:]]
    assert only(SUBLINEAR_MEMORY, runs).here is REFUTED


def test_a_baseline_without_a_quadratic_term_refutes_it():
    runs = [*memories("Eva", vectors), *memories("K-FAC@10", vectors), *memories("Shampoo", factors)]
    assert only(SUBLINEAR_MEMORY, runs).here is REFUTED


def test_three_widths_and_a_missing_baseline_decide_nothing():
    three = [one for one in all_three() if one.cell.workload.widths[1] >= 300]
    assert only(SUBLINEAR_MEMORY, three).here is INCONCLUSIVE
    assert "needs 4 counted widths, has 3" in only(SUBLINEAR_MEMORY, three).reason
    assert only(SUBLINEAR_MEMORY, all_three()[:10]).here is INCONCLUSIVE


def test_bytes_that_are_no_polynomial_decide_nothing():
    odd = [*memories("Eva", lambda net: vectors(net) + (net.widths[1] == 300)), *all_three()[5:]]
    judgement = only(SUBLINEAR_MEMORY, odd)
    assert judgement.here is INCONCLUSIVE
    assert "not a polynomial of degree 2" in judgement.reason


def test_a_width_that_two_runs_count_differently_does_not_count():
    contradiction = memory("Eva", 1.0, vectors(NET) + 4, seed=2)
    judgement = only(SUBLINEAR_MEMORY, [*all_three(), contradiction])
    assert judgement.here is SUPPORTED
    assert "Eva has no d^2 term at 4 widths" in judgement.reason


def test_nets_of_other_proportions_or_batches_are_other_families():
    other_net = replace(NET, widths=(784, 500, 100))
    strays = [memory("Eva", 1.0, 10**9, net=other_net), memory("Eva", 1.0, 10**9, net=replace(NET, batch=100))]
    assert only(SUBLINEAR_MEMORY, [*all_three(), *strays]).here is SUPPORTED


def test_the_names_of_the_workloads_do_not_matter():
    assert only(SUBLINEAR_MEMORY, all_three(name="any")).here is SUPPORTED


def test_a_run_that_ran_out_of_memory_is_no_count():
    runs = all_three()
    assert only(SUBLINEAR_MEMORY, [failed(runs[0], "out_of_memory"), *runs[1:]]).here is SUPPORTED


def test_significantly_less_is_a_tenth_at_every_width_and_not_tested_as_stated_elsewhere():
    judgement = only(LESS_MEMORY, all_three())
    assert (judgement.as_stated, judgement.here) == (NOT_TESTED, SUPPORTED)
    assert judgement.differences[0].startswith("hardware: GPUs in the claim")


def test_one_width_above_a_tenth_refutes_it():
    greedy = [*memories("Eva", lambda net: vectors(net) + (net.widths[1] == 100) * 10**6), *all_three()[5:]]
    assert only(LESS_MEMORY, greedy).here is REFUTED


@pytest.mark.parametrize("claim", [SUBLINEAR_MEMORY, LESS_MEMORY])
def test_without_memory_runs_nothing_was_tested(claim):
    assert only(claim, []).here is NOT_TESTED


def test_an_ablation_arm_does_not_speak_for_its_method(monkeypatch):
    monkeypatch.setitem(ARMS, "Eva, vectors off", replace(ARMS["Eva"], vectors="off"))
    judgement = only(SUBLINEAR_MEMORY, [*all_three(), *memories("Eva, vectors off", factors)])
    assert judgement.here is SUPPORTED
    assert {evidence.arm for evidence in judgement.evidence} == {"Eva"}


def test_one_share_of_several_bases_and_nets_is_said_once():
    runs = [*all_three(), *memories("K-FAC@1", factors)]
    nets = [replace(one, cell=replace(one.cell, workload=replace(one.cell.workload, batch=100))) for one in runs]
    reason = only(LESS_MEMORY, [*runs, *nets]).reason
    assert reason.count("is up to") == 1
    assert "of that of K-FAC@1, K-FAC@10 and Shampoo, at 5 widths of each of 2 nets" in reason
