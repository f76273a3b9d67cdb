"""[gate] of a suite: every mistake is named, and none is taken for a cell."""

from datetime import date

import pytest

from evabench.suite.gate import Quarantine
from evabench.suite.reading import load_suite
from tests.suite.files import GOOD, mistakes, write

GATE = (
    GOOD
    + """
[gate]
gated = ["small, Eva", "small, SGD"]
margins."small, Eva" = { step = 0.04 }

[gate.quarantine."small, SGD"]
reason = "its kernel changes with the compiler"
until = "2026-12-31"
"""
)


def test_a_gate_names_its_cells_margins_and_quarantines(tmp_path):
    gate = load_suite(write(tmp_path, GATE)).gate
    assert gate.gated == ("small, Eva", "small, SGD")
    assert gate.margins["small, Eva"].step == 0.04
    assert gate.ignored_bytes == 1 << 20


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"small, SGD"]\nmargins',
            '"large, SGD"]\nmargins',
            '[gate] gated: "large, SGD" is no cell: a cell is "WORKLOAD, ARM"',
        ),
        (
            'gated = ["small, Eva", "small, SGD"]',
            "gated = []",
            "[gate]: gated must name 1 to 4 cells, none twice, got []",
        ),
        ("step = 0.04", "steps = 0.04", "[gate.margins.small, Eva] has no setting steps. It has: step, own_time"),
        ("step = 0.04", "step = 4", "[gate.margins.small, Eva]: step must be <= 1, got 4"),
        ('"2026-12-31"', '"soon"', 'until must be a day such as "2026-12-31", got "soon"'),
        ('"2026-12-31"', "2026-12-31", "until is a date, and no setting is one"),
        ('reason = "its kernel changes with the compiler"', 'reason = " "', "reason must say why, got none"),
        ("[gate]\n", "[gate]\ngates = 1\n", "[gate] has no setting gates. It has: gated, not_counted, margins"),
        ('margins."small, Eva"', 'margins."small, Evan"', '[gate] margins: "small, Evan" is no cell'),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, old, new, told):
    assert GATE.count(old) >= 1
    assert told in mistakes(tmp_path, GATE.replace(old, new, 1))


def test_a_quarantine_holds_on_its_last_day_and_not_after_it():
    one = Quarantine(reason="noise", until="2026-12-31")
    assert one.holds_on(date(2026, 12, 31))
    assert not one.holds_on(date(2027, 1, 1))
