"""A profile's operators: exact against events made up, and a planted operator found in a real profile."""

import gzip
import json
import threading

import pytest
import torch

from evabench.measurement.timing.trace import Event, operator_times, profile_steps
from evabench.optimizers.phases import phase
from evabench.records.measurement import ProfileSettings
from evabench.records.profile import OUTSIDE_OPERATORS
from tests.full_disk import full_disk

STEP = Event(0, 100_000, "evabench step", thread=1)


def rows(*events):
    return {(row.phase, row.name): (row.self_seconds[0], row.num_calls[0]) for row in operator_times(events)}


def test_self_time_is_without_the_operators_inside():
    found = rows(STEP, Event(10, 60, "linear", 1), Event(20, 50, "addmm", 1), Event(70, 80, "addmm", 1))
    assert found["other", "linear"] == (pytest.approx(20e-9), 1)
    assert found["other", "addmm"] == (pytest.approx(40e-9), 2)


def test_an_operator_belongs_to_the_innermost_phase_and_the_rest_of_the_phase_is_outside_operators():
    found = rows(
        STEP,
        Event(1_000, 9_000, "evabench phase backward", 1),
        Event(2_000, 5_000, "evabench phase capture", 1),
        Event(3_000, 4_000, "sum", 1),
        Event(6_000, 8_000, "mm", 1),
    )
    assert {key: value[0] for key, value in found.items()} == {
        ("backward", "mm"): pytest.approx(2_000e-9),
        ("backward", OUTSIDE_OPERATORS): pytest.approx(3_000e-9),
        ("capture", "sum"): pytest.approx(1_000e-9),
        ("capture", OUTSIDE_OPERATORS): pytest.approx(2_000e-9),
        ("other", OUTSIDE_OPERATORS): pytest.approx(92_000e-9),
    }


def test_the_parts_of_a_step_add_up_to_it():
    found = operator_times([STEP, Event(5, 500, "evabench phase forward", 1), Event(7, 400, "mm", 1)])
    assert sum(row.self_seconds[0] for row in found) == pytest.approx(100_000e-9)


def test_what_lies_between_two_steps_is_left_out():
    assert ("other", "random_") not in rows(STEP, Event(200_000, 200_500, "random_", 1))


def test_an_operator_on_another_thread_is_named_as_such_in_the_phase_that_ran_beside_it():
    found = rows(STEP, Event(1_000, 9_000, "evabench phase forward", 1), Event(2_000, 4_000, "mm", 2))
    assert found["forward", "mm (another thread)"] == (pytest.approx(2_000e-9), 1)
    assert found["forward", OUTSIDE_OPERATORS] == (pytest.approx(8_000e-9), 1)


def test_each_step_has_its_own_figures():
    _, mm = operator_times([STEP, Event(1, 3, "mm", 1), Event(200_000, 200_009, "evabench step", 1)])
    assert (mm.name, mm.self_seconds, mm.num_calls) == ("mm", (pytest.approx(2e-9), 0.0), (1, 0))


@pytest.mark.parametrize(("cycle_steps", "num_steps"), [(1, 4), (3, 9)])
def test_whole_cycles_are_profiled_and_the_trace_holds_their_phases(tmp_path, cycle_steps, num_steps):
    def step():
        with phase("forward"):
            torch.ones(8, 8).mm(torch.ones(8, 8))

    trace = tmp_path / "trace.json.gz"
    found = profile_steps(step, ProfileSettings(trace=str(trace), min_steps=4), cycle_steps)
    assert found.num_steps == len(found.phases.steps) == num_steps
    calls = {(row.phase, row.name): row.num_calls for row in found.operators}
    assert calls["forward", "aten::mm"] == (1,) * num_steps
    assert found.profiled_over_plain > 0
    names = [event.get("name") for event in json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]]
    assert names.count("evabench phase forward") == num_steps


def test_an_operator_on_a_thread_beside_the_step_is_found(tmp_path):
    def work():
        torch.ones(300, 300).mm(torch.ones(300, 300))

    def step():
        with phase("update"):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    found = profile_steps(step, ProfileSettings(trace=str(tmp_path / "trace.json"), min_steps=2), 1)
    assert ("update", "aten::mm (another thread)") in {(row.phase, row.name) for row in found.operators}


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
@pytest.mark.parametrize("room", [0, 200])
def test_on_a_full_disk_a_profile_is_told_and_says_that_its_trace_is_not_written(tmp_path, name, room):
    with full_disk(room):
        found = profile_steps(lambda: torch.ones(8, 8), ProfileSettings(trace=str(tmp_path / name), min_steps=2), 1)
    assert found.num_steps >= 2
    assert found.unwritten in {"only a part of it got there", "File too large"}
    assert list(tmp_path.iterdir()) == []
