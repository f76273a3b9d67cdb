"""C4-time: exponents of exact times above what is measured at d = 8, and what is too little to decide."""

from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.findings import make_findings
from evabench.records.measurement import StepTimeSettings
from evabench.records.step_time import StepTime
from evabench.reporting.tables.cost import scaling_table
from evabench.reporting.tables.verdicts import evidence_table, measured
from evabench.settings.synthetic import SyntheticSettings
from evabench.stats.trimmed import trimmed_mean
from tests.claims.eva import LINEAR_TIME
from tests.runs import run

ARMS = ("SGD", "K-FAC@1", "Eva")  # in this order in even sweeps, backwards in odd ones
WIDTHS = (8, 256, 320, 384, 512, 768, 1024, 1536, 2048)
CONSTANT = 5e-4


def visits(arm, seconds_of, widths=WIDTHS, sweeps=9, spread=0.01):
    """Visits in which every sweep slows all arms alike, up to 4 %."""
    found = []
    for width in widths:
        for sweep in range(1, sweeps + 1):
            seconds = seconds_of(width) * (1 + spread * (sweep % 5))
            time = StepTime(
                step_seconds=(seconds,) * 30,
                block_seconds=(seconds * 30,),
                latency_seconds=None,
                cycle_steps=1,
                warmup_steps=0,
            )
            net = SyntheticSettings(width=width)
            one = run(arm, StepTimeSettings(), time, sweep=sweep, name=f"linear-{width}", net=net)
            found.append(replace(one, visit=replace(one.visit, position=abs(ARMS.index(arm) - 2 * (sweep % 2)))))
    return found


def sgd(width):
    return 1e-8 * width**2


def plus(exponent):
    scale = 0.2e-8 * 1000 ** (2 - exponent)
    return lambda width: sgd(width) + CONSTANT + scale * width**exponent


def judged(*runs):
    (judgement,) = judge_claims((LINEAR_TIME,), make_findings(run for found in runs for run in found))
    return judgement


@pytest.mark.parametrize(
    ("exponent", "verdict"), [(1.0, Verdict.SUPPORTED), (2.0, Verdict.SUPPORTED), (3.0, Verdict.REFUTED)]
)
def test_the_exponent_decides(exponent, verdict):
    judgement = judged(visits("SGD", sgd), visits("Eva", plus(exponent)))
    assert judgement.here is judgement.as_stated is verdict
    assert judgement.evidence[0].estimate == pytest.approx(exponent, abs=0.03)


def test_k_fac_stands_beside_it_and_does_not_decide():
    judgement = judged(visits("SGD", sgd), visits("Eva", plus(2)), visits("K-FAC@1", plus(3)))
    assert judgement.here is Verdict.SUPPORTED
    rows = {row[1]: row for row in evidence_table(judgement).rows}
    assert rows["K-FAC@1"][3].startswith("3.000 [")
    assert rows["K-FAC@1"][2] == "SGD (does not decide)"
    assert measured(judgement).startswith("The step of Eva less that of SGD grows like d^2.000 [")


def test_seven_widths_a_narrow_span_and_five_sweeps_are_too_little():
    few = judged(*(visits(arm, cost, WIDTHS[:8]) for arm, cost in (("SGD", sgd), ("Eva", plus(2)))))
    assert few.here is Verdict.INCONCLUSIVE
    assert "needs 8 widths, has 7 and needs widths that span a factor of 8, has 6" in few.reason
    few_sweeps = judged(visits("SGD", sgd, sweeps=5), visits("Eva", plus(2), sweeps=5))
    assert "needs 6 timing pairs, has 5" in few_sweeps.reason


def test_without_layers_of_width_8_nothing_tells_what_does_not_grow():
    judgement = judged(*(visits(arm, cost, WIDTHS[1:]) for arm, cost in (("SGD", sgd), ("Eva", plus(2)))))
    assert judgement.here is Verdict.INCONCLUSIVE
    assert "rises above that at d = 8, measured beside them" in judgement.reason


def test_a_constant_that_is_not_measured_away_would_have_supported_a_cube():
    judgement = judged(visits("SGD", sgd), visits("Eva", plus(3)))
    assert judgement.here is Verdict.REFUTED
    assert "What does not grow, c0: 0.5" in judgement.evidence[0].notes[0]


def test_a_design_that_would_not_have_seen_a_cube_supports_nothing():
    blind = judged(visits("SGD", sgd), visits("Eva", plus(1.0), spread=0.2))
    assert blind.evidence[0].upper_bound <= 2.1
    assert blind.here is Verdict.INCONCLUSIVE
    assert "the same design would have refuted a d^3 in" in blind.reason


def test_a_cost_that_drowns_in_the_noise_decides_nothing():
    judgement = judged(visits("SGD", sgd), visits("Eva", sgd))
    assert judgement.here is Verdict.INCONCLUSIVE
    assert "It needs widths at which the cost rises" in judgement.reason


def test_the_errors_of_the_costs_allow_for_what_neighbouring_visits_have_in_common():
    (family,) = make_findings([*visits("SGD", sgd), *visits("Eva", plus(2))]).cost_families
    (arm,) = family.arms
    seconds = [(plus(2)(512) - sgd(512)) * (1 + 0.01 * (sweep % 5)) for sweep in range(1, 10)]
    independent = trimmed_mean(seconds)
    assert arm.costs[512].estimate == pytest.approx(independent.estimate)
    assert arm.costs[512].standard_error > 1.1 * independent.standard_error
    assert arm.costs[512].degrees_of_freedom < independent.degrees_of_freedom


def test_without_sgd_there_is_nothing_to_subtract():
    assert judged(visits("Eva", plus(2))).here is Verdict.NOT_TESTED


def test_the_table_has_each_cost_and_the_exponent():
    (family,) = make_findings([*visits("SGD", sgd), *visits("Eva", plus(2))]).cost_families
    (row,) = scaling_table(family).rows
    assert row[0] == "Eva"
    assert float(row[2]) == pytest.approx(1e3 * (CONSTANT + 0.2e-8 * 256**2) * 1.02, rel=0.01)
    assert row[-1].startswith("2.000 [")
