"""C4-work: the degree of what optimizers really do, counted on real layers, and what is too little to tell one."""

from dataclasses import replace
from functools import cache

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.records.measurement import CountsSettings
from evabench.records.request import Request
from evabench.reporting.tables.cost import work_table
from evabench.suite.reading import load_suite
from evabench.worker.measure import measure
from tests.claims.eva import LINEAR_WORK
from tests.runs import run

SUITE = load_suite("work", "laptop")
WIDTHS = [net.width for net in SUITE.workloads.values()]
# Those that take longest are left to `make test-long`.
DEGREES = {"Eva": 2, "K-FAC@1": 3}
SLOW = {
    **{"SGD": 2, "AdamW": 2, "Eva-f": 2, "Eva-s": 2, "M-FAC": 2},
    **{"K-FAC@10": 3, "FOOF, cholesky": 3, "FOOF, eigh": 3, "Shampoo": 3},
}


NETS = {net.width: net for net in SUITE.workloads.values()}


@cache
def counted_at(arm, width):
    one = run(arm, CountsSettings(), None, net=NETS[width], name=f"linear-{width}", optimizer=SUITE.arms[arm])
    request = Request(cell=one.cell, seed=0, warmup_steps=0, timeout_seconds=60)
    return replace(one, measured=measure(request).measured)


def counted(arm, widths=WIDTHS):
    return [counted_at(arm, width) for width in widths]


def degrees(runs):
    (family,) = make_findings(runs).work_families
    (arm,) = family.arms
    return arm.flops_degree, arm.bytes_degree


def judged(runs):
    (judgement,) = judge_claims((LINEAR_WORK,), make_findings(runs))
    return judgement


@pytest.mark.parametrize("arm", [*DEGREES, *(pytest.param(arm, marks=pytest.mark.long) for arm in SLOW)])
def test_the_work_of_every_optimizer_is_an_exact_polynomial_of_its_degree(arm):
    widths = WIDTHS if arm in SLOW else WIDTHS[-5:]
    flops, moved = degrees(counted(arm, widths))
    assert flops.degree == (DEGREES | SLOW)[arm]
    assert moved.degree == 2  # what is read and written are matrices, whatever is done to them
    assert flops.widths == moved.widths == tuple(widths)


def test_the_claim_about_eva_is_decided_by_its_counts():
    judgement = judged(counted("Eva"))
    assert judgement.here is Verdict.SUPPORTED
    assert "the flops of Eva have degree 2 in the width at 8 widths from 272 to 496" in judgement.reason


def test_the_same_claim_about_k_fac_would_be_refuted():
    kfac = [
        replace(one, cell=replace(one.cell, optimizer=SUITE.arms["Eva"])) for one in counted("K-FAC@1", WIDTHS[-5:])
    ]
    assert judged(kfac).here is Verdict.REFUTED


def test_four_widths_decide_nothing():
    judgement = judged(counted("Eva", WIDTHS[-4:]))
    assert judgement.here is not Verdict.SUPPORTED
    (family,) = make_findings(counted("Eva", WIDTHS[-4:])).work_families
    assert work_table(family).rows == (("Eva", "no polynomial", "no polynomial"),)


def test_the_table_says_degree_and_widths():
    (family,) = make_findings(counted("Eva-s", WIDTHS[-5:])).work_families
    table = work_table(family)
    assert [flops for _, flops, _ in table.rows] == ["d^2"]
    assert "at 5 widths from 368 to 496" in table.note
