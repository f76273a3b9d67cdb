"""What a gate says, and the exit code that follows: 1 is a regression and nothing else."""

from dataclasses import replace

import pytest

from evabench.errors import ExitCode
from evabench.gate.control import Control
from evabench.gate.counted import Counted, ProcessPeak
from evabench.gate.counters import Change
from evabench.gate.report import Coverage, GateReport, Quarantined, Uncovered
from evabench.gate.rules import Seen
from evabench.gate.timed import Timed
from evabench.gate.verdict import exit_code, findings, headline, line_words
from evabench.records.codec import decode, encode
from tests.gate.pairs import pairs_of

REPORT = GateReport(
    suite="ci", base="main (abc)", head="HEAD (def)", host="h", processor="a CPU", started="2026-11-26", seconds=3.0
)
SEEN = Seen(
    answer="undecided",
    num_pairs=9,
    slowdown=0.2,
    lower=0.1,
    upper=0.3,
    alpha=0.001,
    margin=0.03,
    noise=0.01,
    too_noisy=False,
    difference_seconds=0.01,
    smallest_visible=0.12,
)
VALID = Control(name="same code", pairs=tuple(pairs_of([0.01, -0.01] * 4 + [0.0])))
INVALID = Control(name="same code", pairs=tuple(pairs_of([0.1, 0.11] * 4 + [0.1])))
MORE_READS = Change(cell="a, Eva", counter="host reads per cycle", before=0, after=1, against="base", fails=True)


def timed(answer, layer="step", cell="a, Eva"):
    return Timed(cell=cell, layer=layer, answer=answer, looks=(SEEN,), pairs=tuple(pairs_of([0.2] * 9)))


def counted(**found):
    return Counted(num_cells=1, key="torch", **found)


REGRESSED = replace(REPORT, timed=(timed("regression"),), controls=(VALID,))
UNDECIDED = [
    replace(REPORT, timed=(timed("inconclusive"),), controls=(VALID,)),
    replace(REPORT, timed=(timed("too noisy"),)),
    replace(REPORT, timed=(timed("not confirmed"),)),
    replace(REPORT, timed=(Timed(cell="a, Eva", layer="step", answer="not compared", reason="base: no such arm"),)),
    replace(REPORT, counted=counted(not_tested=("a, Eva: no counters",))),
    replace(REPORT, coverage=Coverage(num_changed=3, uncovered=(Uncovered(file="eva.py", lines=(3,)),))),
    replace(REPORT, coverage=Coverage(num_changed=3, reason="coverage is not installed")),
]
MISSING = [
    replace(REPORT, timed=(Timed(cell="a, Eva", layer="step", answer="not measured", reason="head: crashed"),)),
    replace(REPORT, counted=counted(missing=("a, Eva: the baseline has no FLOPs",))),
]


@pytest.mark.parametrize(
    "report",
    [
        REGRESSED,
        replace(REPORT, counted=counted(changes=(MORE_READS,))),
        replace(
            REPORT, counted=counted(process_peaks=(ProcessPeak(cell="a", base_bytes=1 << 28, head_bytes=1 << 30),))
        ),
    ],
)
def test_each_layer_can_fail_alone(report):
    assert exit_code(report) is ExitCode.REGRESSION
    assert "1 regression" in headline(report)


def test_passes_and_changes_within_their_tolerance_are_exit_0():
    lower = replace(MORE_READS, before=2, fails=False)
    report = replace(REPORT, timed=(timed("pass"),), controls=(VALID,), counted=counted(changes=(lower,)), strict=True)
    assert exit_code(report) is ExitCode.PASS
    assert any("fell from 2 to 1" in one.text for one in findings(report))


@pytest.mark.parametrize("report", UNDECIDED)
def test_what_is_undecided_is_exit_4_only_where_that_is_asked_for(report):
    assert exit_code(report) is ExitCode.PASS
    assert exit_code(replace(report, strict=True)) is ExitCode.INCONCLUSIVE


def test_sides_that_cannot_be_compared_and_a_gate_that_stopped_are_answers_too():
    assert exit_code(replace(REPORT, incomparable="protocol 1 and 2")) is ExitCode.INVALID_ENVIRONMENT
    stopped = replace(REPORT, stopped="the launch server did not start")
    assert exit_code(stopped) is ExitCode.INCOMPLETE
    assert "did not start" in findings(stopped)[0].text


@pytest.mark.parametrize("report", MISSING)
def test_what_was_not_measured_is_never_green(report):
    assert exit_code(report) is ExitCode.INCOMPLETE


def test_an_unfit_machine_gives_no_timed_answer_but_what_was_counted_stands():
    unfit = replace(REGRESSED, controls=(VALID, INVALID))
    assert exit_code(unfit) is ExitCode.INVALID_ENVIRONMENT
    assert not any(one.kind == "regression" for one in findings(unfit))
    assert exit_code(replace(unfit, counted=counted(changes=(MORE_READS,)))) is ExitCode.REGRESSION


def test_the_second_try_at_a_control_counts():
    assert exit_code(replace(REGRESSED, controls=(INVALID, VALID))) is ExitCode.REGRESSION


def test_a_changed_measuring_code_is_named():
    report = replace(REGRESSED, controls=(VALID, replace(INVALID, name="measuring code")))
    assert "measuring code changed" in findings(report)[0].text


def test_a_cell_in_quarantine_fails_nothing_until_its_last_day_is_over():
    held = Quarantined(cell="a, Eva", reason="a noisy kernel", until="2026-12-01", expired=False)
    report = replace(REGRESSED, quarantined=(held,))
    assert exit_code(replace(report, strict=True)) is ExitCode.PASS
    assert "a noisy kernel" in findings(report)[0].text
    assert exit_code(replace(report, quarantined=(replace(held, expired=True),))) is ExitCode.REGRESSION


@pytest.mark.parametrize("report", [REGRESSED, *MISSING])
def test_exit_zero_fails_nothing_and_tells_everything(report):
    assert exit_code(replace(report, exit_zero=True)) is ExitCode.PASS
    assert findings(replace(report, exit_zero=True)) == findings(report)


def test_a_change_of_documents_says_that_nothing_was_measured():
    report = replace(REPORT, untouched="The change touches nothing that runs in a measurement.")
    assert exit_code(report) is ExitCode.PASS
    assert "nothing that is measured was touched" in headline(report)


def test_a_report_comes_back_from_its_json_with_every_pair():
    report = replace(REGRESSED, counted=counted(changes=(MORE_READS,)))
    assert decode(GateReport, encode(GateReport, report)) == report


def test_lines_are_told_as_spans():
    assert line_words([3, 4, 5, 9]) == "lines 3 to 5, 9"
    assert line_words([3]) == "line 3"
