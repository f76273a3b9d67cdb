"""C4: exponents of exact times, and what is too little to decide."""

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.records.measurement import StepTimeSettings
from evabench.records.step_time import StepTime
from evabench.reporting.tables.cost import scaling_table
from evabench.reporting.tables.verdicts import evidence_table, measured
from evabench.settings.synthetic import SyntheticSettings
from tests.claims.eva import LINEAR_TIME
from tests.runs import run

WIDTHS = (256, 384, 512, 768, 1024, 1536, 2048)


def visits(arm, seconds_of, widths=WIDTHS, sweeps=9):
    """Visits in which every sweep slows all arms alike, up to 4 %."""
    found = []
    for width in widths:
        for sweep in range(1, sweeps + 1):
            seconds = seconds_of(width) * (1 + 0.01 * (sweep % 5))
            time = StepTime(
                step_seconds=(seconds,) * 30,
                block_seconds=(seconds * 30,),
                latency_seconds=None,
                cycle_steps=1,
                warmup_steps=0,
            )
            net = SyntheticSettings(width=width)
            found.append(run(arm, StepTimeSettings(), time, sweep=sweep, name=f"linear-{width}", net=net))
    return found


def sgd(width):
    return 1e-8 * width**2


def plus(exponent):
    scale = 0.2e-8 * 1000 ** (2 - exponent)
    return lambda width: sgd(width) + scale * width**exponent


def judged(*runs):
    (judgement,) = judge_claims((LINEAR_TIME,), make_findings(run for found in runs for run in found))
    return judgement


@pytest.mark.parametrize(
    ("exponent", "verdict"), [(1.0, Verdict.SUPPORTED), (2.0, Verdict.SUPPORTED), (3.0, Verdict.REFUTED)]
)
def test_the_exponent_decides(exponent, verdict):
    judgement = judged(visits("SGD", sgd), visits("Eva", plus(exponent)))
    assert judgement.here is judgement.as_stated is verdict
    assert judgement.evidence[0].estimate == pytest.approx(exponent)


def test_k_fac_stands_beside_it_and_does_not_decide():
    judgement = judged(visits("SGD", sgd), visits("Eva", plus(2)), visits("K-FAC@1", plus(3)))
    assert judgement.here is Verdict.SUPPORTED
    rows = {row[1]: row for row in evidence_table(judgement).rows}
    assert rows["K-FAC@1"][3].startswith("3.00 [")
    assert rows["K-FAC@1"][2] == "SGD (does not decide)"
    assert measured(judgement).startswith("The step of Eva less that of SGD grows like d^2.00 [")


def test_five_widths_or_five_sweeps_are_too_few():
    few_widths = judged(visits("SGD", sgd, WIDTHS[:5]), visits("Eva", plus(2), WIDTHS[:5]))
    assert few_widths.here is Verdict.INCONCLUSIVE
    assert "needs 6 widths where the cost exceeds 5 x its noise, has 5" in few_widths.reason
    few_sweeps = judged(visits("SGD", sgd, sweeps=5), visits("Eva", plus(2), sweeps=5))
    assert "needs 6 timing pairs, has 5" in few_sweeps.reason


def test_a_cost_that_drowns_in_the_noise_decides_nothing():
    judgement = judged(visits("SGD", sgd), visits("Eva", sgd))
    assert judgement.here is Verdict.INCONCLUSIVE
    assert "has fewer than three" in judgement.reason


def test_without_sgd_there_is_nothing_to_subtract():
    assert judged(visits("Eva", plus(2))).here is Verdict.NOT_TESTED


def test_the_table_has_each_cost_and_the_exponent():
    (family,) = make_findings([*visits("SGD", sgd), *visits("Eva", plus(2))]).cost_families
    (row,) = scaling_table(family).rows
    assert row[0] == "Eva"
    assert float(row[1]) == pytest.approx(1e3 * 0.2e-8 * 256**2 * 1.02, rel=0.01)
    assert row[-1].startswith("2.00 [")
