"""The tables of a profile, from exact numbers."""

import pytest

from evabench.records.phases import Phases
from evabench.records.profile import OperatorTime, Profile
from evabench.reporting.tables.profile import (
    operators_difference_table,
    operators_table,
    overhead_sentence,
    phases_difference_table,
)


def profile(phases, operators, *, plain=0.010, profiled=0.012):
    steps = 2
    return Profile(
        trace="t.json.gz",
        phases=Phases(cycle_steps=1, steps=(phases,) * steps, plain_seconds=(plain,) * steps),
        profiled_seconds=(profiled,) * steps,
        operators=tuple(
            OperatorTime(phase=phase, name=name, self_seconds=(seconds,) * steps, num_calls=calls)
            for (phase, name), (seconds, calls) in operators.items()
        ),
    )


SGD = profile(
    {"forward": 0.004, "backward": 0.006},
    {("backward", "mm"): (0.006, (3, 3)), ("forward", "mm"): (0.004, (2, 2)), ("forward", "relu"): (0.002, (1, 1))},
)
SLOW = profile(
    {"forward": 0.004, "backward": 0.006, "precondition": 0.005},
    {
        ("forward", "mm"): (0.005, (2, 2)),
        ("backward", "mm"): (0.003, (3, 3)),
        ("precondition", "eigh"): (0.005, (1, 0)),
        ("precondition", "autograd::engine::evaluate_function: Mm"): (0.001, (1, 1)),
    },
)


def test_the_dearest_phase_and_in_it_the_dearest_operator_come_first():
    rows = operators_table("SGD", SGD, top=5).rows
    assert [row[:2] for row in rows] == [("backward", "mm"), ("forward", "mm"), ("forward", "relu")]
    assert rows[0] == ("backward", "mm", "6.000", "3", "50.0%")


def test_each_phase_shows_so_many_operators():
    assert [row[:2] for row in operators_table("SGD", SGD, top=1).rows] == [("backward", "mm"), ("forward", "mm")]


def test_the_overhead_is_a_ratio_of_steps():
    assert "a profiled step took 1.20x an unprofiled one (2 steps" in overhead_sentence("SGD", SGD)


def test_phases_are_sorted_by_how_much_longer_they_take_and_end_with_the_whole():
    rows = phases_difference_table("Slow", SLOW, "SGD", SGD).rows
    assert rows[0] == ("precondition", "5.000", "-", "+5.000")
    assert rows[-1] == ("whole step", "15.000", "10.000", "+5.000")


def test_operators_are_sorted_from_what_costs_more_to_what_costs_less():
    rows = operators_difference_table("Slow", SLOW, "SGD", SGD, top=9).rows
    assert [float(row[4]) for row in rows] == pytest.approx([5, 1, 1, -2, -3])
    assert rows[0] == ("precondition", "eigh", "5.000", "-", "+5.000", "0.5 / -")
    assert rows[-1] == ("backward", "mm", "3.000", "6.000", "-3.000", "3 / 3")


def test_the_greatest_differences_are_shown_whatever_their_sign():
    rows = operators_difference_table("Slow", SLOW, "SGD", SGD, top=2).rows
    assert [row[:2] for row in rows] == [("precondition", "eigh"), ("backward", "mm")]


def test_an_operator_of_a_refresh_counts_at_its_share_and_an_interruption_not_at_all():
    refresh = OperatorTime(
        phase="refresh", name="eigh", self_seconds=(0.9, 0.0, 0.1, 0.0, 0.1, 0.0), num_calls=(1, 0) * 3
    )
    phases = Phases(cycle_steps=2, steps=({"refresh": 0.1}, {}) * 3, plain_seconds=(0.1,) * 6)
    found = Profile(trace="t", phases=phases, profiled_seconds=(0.1,) * 6, operators=(refresh,))
    assert found.seconds_per_step(refresh) == pytest.approx(0.05)
    assert found.calls_per_step(refresh) == 0.5
    assert found.profiled_over_plain == pytest.approx(1)


def test_autograds_long_names_are_cut():
    assert "autograd: Mm" in {row[1] for row in operators_table("Slow", SLOW, top=9).rows}
