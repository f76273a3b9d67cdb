"""Counters: what a rise means, and against what it is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evabench.errors import GateError, OutputError
from evabench.gate.baseline import Baseline, baseline_diff, read_baseline, write_baseline
from evabench.gate.counted import CountedCell, ProcessPeak, judge_counted
from evabench.gate.counters import rises
from tests.full_disk import full_disk

KEY = "torch 2.9, x86_64 AVX2"
PORTABLE = {"state bytes": 1_000_000, "host reads per cycle": 0, "FLOPs per cycle": 5_000}
VALUES = PORTABLE | {"launches per cycle": 40, "peak bytes": 9_000_000, "operators, aten.mm": 7}
CELL = "small, Eva"
BASELINE = Baseline(suite="ci").with_counted({CELL: VALUES}, KEY)


def counted(**values):
    return {CELL: CountedCell(values=VALUES | {name.replace("_", " "): value for name, value in values.items()})}


def judge(head, base=None, baseline=BASELINE, key=KEY):
    return judge_counted(head, base, baseline, key=key, ignored_bytes=1000)


def failing(found):
    return {change.counter for change in found.changes if change.fails}


def test_what_is_as_it_was_has_no_change():
    found = judge(counted(), counted())
    assert (found.changes, found.missing, found.not_tested) == ((), (), ())


def test_an_operator_that_is_gone_is_called_no_more_times():
    gone = {name: value for name, value in VALUES.items() if not name.startswith("operators")}
    (change,) = judge(
        {CELL: CountedCell(values=gone | {"operators, aten.bmm": 1})},
        {CELL: CountedCell(values=VALUES | {"operators, aten.bmm": 1})},
    ).changes
    assert (change.counter, change.before, change.after) == ("operators, aten.mm", 7, 0)


@pytest.mark.parametrize(
    ("counter", "value"),
    [("host reads per cycle", 1), ("FLOPs per cycle", 5_001), ("launches per cycle", 41), ("state bytes", 1_020_000)],
)
def test_a_rise_fails(counter, value):
    assert failing(judge({CELL: CountedCell(values=VALUES | {counter: value})})) == {counter}


def test_a_fall_is_shown_and_fails_nothing():
    found = judge(counted(FLOPs_per_cycle=4_000))
    assert [change.counter for change in found.changes] == ["FLOPs per cycle"]
    assert not failing(found)


def test_another_operator_is_shown_and_fails_nothing_by_itself():
    head = {CELL: CountedCell(values=VALUES | {"operators, aten.mm": 6, "operators, aten.bmm": 1})}
    found = judge(head, counted(), baseline=None)
    assert not failing(found)
    shown = {change.counter: (change.before, change.after) for change in found.changes}
    assert shown == {"operators, aten.mm": (7, 6), "operators, aten.bmm": (0, 1)}


def test_what_the_base_had_already_is_no_fault_of_the_head():
    worse = counted(launches_per_cycle=50)
    assert failing(judge(worse)) == {"launches per cycle"}
    assert not failing(judge(worse, worse))


def test_what_a_committed_baseline_accepts_is_no_regression_against_the_base():
    assert failing(judge(counted(), counted(launches_per_cycle=30), baseline=None)) == {"launches per cycle"}
    assert not failing(judge(counted(), counted(launches_per_cycle=30)))


def test_a_portable_counter_is_held_against_the_baseline_even_where_the_base_has_it_too():
    worse = counted(host_reads_per_cycle=2)
    assert failing(judge(worse, worse)) == {"host reads per cycle"}


def test_keyed_counters_of_another_machine_are_not_tested_and_no_failure():
    found = judge(counted(launches_per_cycle=400), key="torch 3.0, arm64")
    assert not failing(found)
    assert found.not_tested == (f"{CELL}: nothing has counters for torch 3.0, arm64",)


def test_a_missing_row_of_a_portable_counter_is_missing_in_either_direction():
    shorter = Baseline(suite="ci", portable={CELL: {"state bytes": 1_000_000, "bytes sent": 3}})
    assert judge(counted(), baseline=shorter).missing == (
        f"{CELL}: the baseline has no FLOPs per cycle",
        f"{CELL}: the baseline has no host reads per cycle",
        f"{CELL}: bytes sent was not counted, and the baseline has it",
    )


def test_a_cell_that_could_not_be_counted_is_missing():
    assert judge({CELL: CountedCell(values={}, failures=("crashed: no data",))}).missing == (
        f"{CELL}: crashed: no data",
    )


def test_without_a_baseline_and_a_base_nothing_is_green():
    assert "nothing to compare with" in judge(counted(), baseline=None).missing[0]


def test_the_first_loss_that_differs_is_told():
    base = {CELL: CountedCell(values=VALUES, losses=(1.0, 0.5, 0.25))}
    head = {CELL: CountedCell(values=VALUES, losses=(1.0, 0.5, 0.2))}
    assert judge(head, base).first_loss_changes == {CELL: 3}


@pytest.mark.parametrize(("head", "fails"), [(400, False), (440, True), (432, False)])
def test_a_process_fails_above_three_per_cent_and_32_mib(head, fails):
    assert ProcessPeak(cell=CELL, base_bytes=400 << 20, head_bytes=head << 20).fails is fails


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(0, 2**30))
def test_bytes_that_fall_or_stay_never_fail(before, fall, ignored):
    for counter in ("state bytes", "FLOPs per cycle", "loss, mean of steps 41 to 50", "operators, aten.mm"):
        assert not rises(counter, before, max(0, before - fall), ignored)


def test_a_baseline_comes_back_from_its_file_one_counter_a_line(tmp_path):
    path = tmp_path / "ci.baseline.json"
    assert read_baseline(path) is None
    write_baseline(path, BASELINE)
    assert read_baseline(path) == BASELINE
    assert sum("FLOPs per cycle" in line for line in path.read_text().splitlines()) == 1
    assert "operators" not in path.read_text()


def test_on_a_full_disk_the_baseline_that_was_there_stays_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "ci.baseline.json"
    write_baseline(path, BASELINE)
    with full_disk(20), pytest.raises(OutputError, match=r"ci\.baseline\.json: it cannot be written: File too large"):
        write_baseline(path, Baseline(suite="other").with_counted({CELL: VALUES}, KEY))
    assert read_baseline(path) == BASELINE
    assert list(tmp_path.iterdir()) == [path]


def test_a_diff_of_a_baseline_names_every_counter_that_changes():
    after = BASELINE.with_counted({CELL: VALUES | {"FLOPs per cycle": 4_000, "launches per cycle": 41}}, KEY)
    assert baseline_diff(BASELINE, after) == [
        f"{CELL}: FLOPs per cycle: 5000 -> 4000",
        f"{CELL}: launches per cycle ({KEY}): 40 -> 41",
    ]


def test_the_keyed_counters_of_other_machines_stay_when_one_is_refreshed():
    after = BASELINE.with_counted({CELL: VALUES}, "another")
    assert set(after.keyed) == {KEY, "another"}


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1, "suite": "ci", "more": 1}', '{"schema": 2, "suite": "ci"}'])
def test_a_damaged_baseline_is_refused_with_the_way_out(tmp_path, text):
    path = tmp_path / "ci.baseline.json"
    path.write_text(text)
    with pytest.raises(GateError, match="--refresh-baseline"):
        read_baseline(path)
