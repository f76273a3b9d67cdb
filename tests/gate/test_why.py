"""Why a cell is slower, in a sentence."""

from dataclasses import replace

from evabench.errors import ExitCode
from evabench.gate.verdict import exit_code, findings
from evabench.gate.why import compare_profiles
from evabench.records.phases import Phases
from evabench.records.profile import OUTSIDE_OPERATORS, OperatorTime, Profile
from tests.gate.test_verdict import REGRESSED


def profile(precondition, mm_calls, mm_seconds):
    phases = Phases(
        cycle_steps=1, steps=({"forward": 1e-3, "precondition": precondition},), plain_seconds=(1e-3 + precondition,)
    )
    operators = (
        OperatorTime(phase="precondition", name="aten::mm", self_seconds=(mm_seconds,), num_calls=(mm_calls,)),
        OperatorTime(phase="forward", name="aten::addmm", self_seconds=(8e-4,), num_calls=(3,)),
        OperatorTime(phase="forward", name=OUTSIDE_OPERATORS, self_seconds=(1e-4,), num_calls=(1,)),
    )
    return Profile(trace="t", phases=phases, profiled_seconds=(2e-3,), operators=operators)


WHY = compare_profiles("a, Eva", [profile(1e-4, 2, 1e-5)], [profile(3e-4, 4, 9e-5)])


def test_what_rose_most_comes_first_and_what_did_not_rise_is_not_said():
    assert WHY.phases[0].phase == "precondition"
    assert "precondition 100 us -> 300 us" in WHY.sentence
    assert "aten::mm in precondition 10.0 us -> 90.0 us, 2 -> 4 calls" in WHY.sentence
    assert "addmm" not in WHY.sentence
    assert "operators per step 5 -> 7" in WHY.sentence


def test_an_operator_that_only_one_side_has_is_shown_from_nothing():
    base = profile(1e-4, 2, 1e-5)
    added = OperatorTime(phase="update", name="aten::clone", self_seconds=(5e-5,), num_calls=(1,))
    why = compare_profiles("a, Eva", [base], [replace(base, operators=(*base.operators, added))])
    assert "aten::clone in update 0 s -> 50.0 us, 0 -> 1 calls" in why.sentence


def test_a_part_that_was_interrupted_once_is_not_blamed():
    quiet, interrupted = profile(1e-4, 2, 1e-5), profile(9e-3, 2, 8e-3)
    why = compare_profiles("a, Eva", [quiet, quiet, interrupted], [interrupted, quiet, interrupted])
    assert "no phase rose" in why.sentence
    assert "no operator rose" in why.sentence


def test_the_reason_decides_nothing():
    report = replace(REGRESSED, why=(WHY,))
    assert exit_code(report) is ExitCode.REGRESSION
    assert [one.kind for one in findings(report) if one.text == WHY.sentence] == ["note"]
