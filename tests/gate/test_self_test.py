"""The gate's own proof: what is planted is found, and equal sides are never called slower."""

from dataclasses import replace

import pytest
import torch

from evabench.errors import ExitCode
from evabench.gate.control import CELL
from evabench.gate.rules import OWN_TIME, STEP, Test
from evabench.gate.self_test import Check, SelfTest, check_timed, plant
from evabench.gate.timed import Series, TimedCell
from evabench.optimizers.phases import listening
from evabench.settings.eva import EvaSettings
from evabench.worker.build import build_optimizer
from tests.gate.fake_sides import FakeMachine, sides_of

EVA = replace(CELL, optimizer=EvaSettings())
TESTS = {"own_time": Test(margins=OWN_TIME, num_tests=2), "step": Test(margins=STEP, num_tests=2)}


def answers(tmp_path, machine):
    cells = [TimedCell(name="small, Eva", cells={"base": EVA, "head": EVA}, tests=TESTS)]
    checks, visible = check_timed(cells, Series(sides=sides_of(tmp_path, machine), timeout_seconds=1.0))
    return {check.what: check.answer for check in checks}, visible


def test_a_quiet_machine_finds_what_is_planted_in_each_timed_layer(tmp_path):
    found, visible = answers(tmp_path, FakeMachine(sd=0.01))
    assert list(found) == [
        "small, Eva: the optimizer's own time, equal sides",
        "small, Eva: the step, equal sides",
        "small, Eva: the optimizer's own time slower by 20%",
        "small, Eva: the step slower by 6%",
    ]
    assert set(found.values()) == {"as it should be"}
    assert all(0.03 < one.smallest_slowdown < 0.2 for one in visible)


def test_a_gate_that_is_blind_has_not_found_what_is_planted(tmp_path):
    found, _ = answers(tmp_path, FakeMachine(sd=0.01, finds=0.0))
    assert found["small, Eva: the step slower by 6%"] == "not found"


def test_a_machine_that_is_too_noisy_is_undecided_and_not_blind(tmp_path):
    found, _ = answers(tmp_path, FakeMachine(sd=0.25))
    assert "undecided" in found.values()
    assert "not found" not in found.values()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("as it should be", ExitCode.PASS),
        ("not found", ExitCode.INVALID_ENVIRONMENT),
        ("false alarm", ExitCode.INVALID_ENVIRONMENT),
        ("undecided", ExitCode.INCONCLUSIVE),
    ],
)
def test_only_a_gate_that_is_wrong_is_an_invalid_environment(answer, code):
    fine = Check(what="a", answer="as it should be", said="")
    assert SelfTest(checks=(fine, Check(what="b", answer=answer, said=""))).exit_code is code


class Heard:
    def __init__(self):
        self.names = []

    def enter(self, name):
        self.names.append(name)

    def leave(self):
        pass


def stepped(cell):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = build_optimizer(cell.optimizer, model)
    heard = Heard()
    with listening(heard):
        model(torch.ones(4, 3)).square().mean().backward()
        optimizer.step()
    return model, optimizer, heard.names


def test_a_planted_optimizer_takes_the_step_of_the_one_that_it_hides_and_spends_its_time_in_a_mark():
    plain, its_own, names = stepped(EVA)
    faulty, optimizer, more = stepped(plant(EVA, spin_seconds=1e-4, host_reads=1))
    assert torch.equal(plain.weight, faulty.weight)
    assert type(optimizer) is type(its_own)
    assert more == [*names, "precondition"]


def test_planted_bytes_are_a_state_that_stays():
    _, optimizer, _ = stepped(plant(EVA, state_bytes=1000))
    (planted,) = [state["planted"] for state in optimizer.state.values() if "planted" in state]
    assert planted.nbytes == 1000


def test_a_planted_cell_has_the_cycle_of_the_one_that_it_hides():
    assert plant(EVA).optimizer.cycle_steps == EVA.optimizer.cycle_steps
