"""Timed layers, on a machine without processes whose times are known."""

import pytest

from evabench.gate.control import CELL, NUM_PAIRS, ControlSeries
from evabench.gate.rules import OWN_TIME, STEP, Test
from evabench.gate.timed import Series, TimedCell, own_seconds, time_cells
from evabench.records.phases import Phases
from tests.gate.fake_sides import FakeMachine, sides_of

TESTS = {"own_time": Test(margins=OWN_TIME, num_tests=2), "step": Test(margins=STEP, num_tests=2)}
CELLS = [TimedCell(name="small, Eva", cells={"base": CELL, "head": CELL}, tests=TESTS)]
SLOW = (0.013, 0.002)


def gate(tmp_path, machine, **sides):
    made = sides_of(tmp_path, machine, **sides)
    answers = time_cells(CELLS, Series(sides=made, timeout_seconds=1.0))
    return {timed.layer: timed for timed in answers}


def test_equal_sides_pass_in_both_layers(tmp_path):
    found = gate(tmp_path, FakeMachine())
    assert {timed.answer for timed in found.values()} == {"pass"}
    assert not any(timed.confirming for timed in found.values())


def test_a_slower_step_is_found_and_confirmed_with_as_many_fresh_pairs(tmp_path):
    step = gate(tmp_path, FakeMachine(), head=SLOW)["step"]
    assert step.answer == "regression"
    assert len(step.confirming) == len(step.pairs) == step.looks[-1].num_pairs == 9


def test_work_that_the_step_hides_is_found_in_the_optimizers_own_time(tmp_path):
    found = gate(tmp_path, FakeMachine(), head=(0.0102, 0.003))
    assert found["own_time"].answer == "regression"
    assert found["step"].answer == "pass"


def test_a_folder_that_is_slow_by_itself_confirms_nothing(tmp_path):
    machine = FakeMachine(folder_factor={"side-b": 1.3})
    assert gate(tmp_path, machine)["step"].answer == "not confirmed"


def test_the_folders_lie_where_they_lay_before_when_a_confirmation_is_over(tmp_path):
    gate(tmp_path, FakeMachine(), head=SLOW)
    assert (tmp_path / "side-a" / "times").read_text().startswith("base")


def test_orders_alternate_and_each_pair_has_servers_of_its_own_with_one_layout(tmp_path):
    machine = FakeMachine()
    step = gate(tmp_path, machine)["step"]
    assert [pair.base_first for pair in step.pairs[:4]] == [True, False, True, False]
    layouts = [server.layout_seed for server in machine.started]
    assert layouts[::2] == layouts[1::2]
    assert len(set(layouts)) == len(step.pairs) + 1  # and the pilot


def test_both_sides_draw_the_same_batches_and_discard_as_many_steps(tmp_path):
    machine = FakeMachine()
    gate(tmp_path, machine)
    for base, head in zip(machine.started[::2], machine.started[1::2], strict=True):
        assert [(one.seed, one.warmup_steps) for one in base.requests] == [
            (one.seed, one.warmup_steps) for one in head.requests
        ]


@pytest.mark.parametrize(("side", "answer"), [("base", "not compared"), ("head", "not measured")])
def test_a_side_that_fails_is_no_pass(tmp_path, side, answer):
    found = gate(tmp_path, FakeMachine(fails={side: "it needs a GPU"}))
    assert {timed.answer for timed in found.values()} == {answer}
    assert found["step"].reason == f"{side}: crashed: it needs a GPU"


def test_own_time_is_what_the_optimizer_does_and_no_pass():
    parts = {"forward": 4.0, "backward": 5.0, "capture": 1.0, "refresh": 0.5, "precondition": 0.25, "update": 0.125}
    phases = Phases(cycle_steps=1, steps=(parts | {"zero_grad": 9.0, "other": 9.0},), plain_seconds=(10.0,))
    assert own_seconds(phases) == 1.875


def control(tmp_path, machine, **sides):
    made = sides_of(tmp_path, machine, **sides)
    return ControlSeries("same code", Series(sides=made, timeout_seconds=1.0), "cpu").finish()


def test_a_control_of_equal_sides_is_valid(tmp_path):
    found = control(tmp_path, FakeMachine())
    assert found.valid
    assert len(found.pairs) == NUM_PAIRS


@pytest.mark.parametrize("step", [0.011, 0.009])
def test_a_control_that_differs_in_either_direction_is_invalid(tmp_path, step):
    assert not control(tmp_path, FakeMachine(), head=(step, 0.002)).valid


def test_a_control_that_is_only_noisy_is_valid(tmp_path):
    assert control(tmp_path, FakeMachine(sd=0.2)).valid


def test_a_control_that_cannot_be_made_is_invalid(tmp_path):
    found = control(tmp_path, FakeMachine(fails={"base": "no data"}))
    assert not found.valid
    assert "no data" in found.reason
