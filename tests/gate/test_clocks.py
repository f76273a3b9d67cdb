"""The clocks of a GPU: read by the real bindings during visits, and what a gate says about them."""

import math
from dataclasses import replace

import pytest

from evabench.errors import ExitCode
from evabench.gate.clocks import Clocks, VisitClock, watched_clocks
from evabench.gate.pairs import base_comes_first
from evabench.gate.timed import Series, time_pair
from evabench.gate.verdict import exit_code, findings
from tests.gate.fake_sides import FakeMachine, sides_of
from tests.gate.test_timed import CELLS
from tests.gate.test_verdict import REGRESSED, REPORT
from tests.nvml.stand_in import GPU_0, ONE_GPU, change_scenario

PAIRS = range(1, 10)


def watch_nine_pairs(tmp_path, slower_head, limits=0):
    """Make nine pairs of a gate, in whose visits of the head the clock is another one."""
    machine = FakeMachine()

    def at_that_clock(folder, request, answer=machine.answer):
        clock = round(1755 * (1 - slower_head)) if folder.name == "side-b" else 1755
        change_scenario({**ONE_GPU, "gpu.0.sm_clock": clock, "gpu.0.clock_limits": limits})
        return answer(folder, request)

    machine.answer = at_that_clock
    with watched_clocks("cuda", 0, {}) as watch:
        series = Series(sides=sides_of(tmp_path, machine), timeout_seconds=1.0, clocks=watch)
        for number in PAIRS:
            time_pair(CELLS[0], number, 10, series)
        return watch.clocks()


def test_clocks_that_held_still_are_locked_and_that_is_said(stand_in, tmp_path):
    clocks = stand_in.ask(watch_nine_pairs, ONE_GPU, tmp_path, 0.0)
    assert clocks.locked
    assert len(clocks.drifts) == 2 * len(PAIRS)  # of both layers
    (found,) = findings(replace(REPORT, clocks=clocks))
    assert found.text == f"The clocks of NVIDIA H100 ({GPU_0}) held still at 1,755 MHz."


def test_a_head_that_had_slower_clocks_is_told_from_a_slower_head(stand_in, tmp_path):
    thermal = 0x40
    clocks = stand_in.ask(watch_nine_pairs, ONE_GPU, tmp_path, 0.1, thermal)
    assert [round(math.expm1(one), 2) for one in clocks.drifts] == [-0.1] * len(clocks.drifts)
    report = replace(REGRESSED, clocks=clocks)
    assert exit_code(report) is ExitCode.INVALID_ENVIRONMENT
    (said,) = [one.text for one in findings(report) if one.kind == "invalid"]
    assert "went from 1,580 to 1,755 MHz (hardware thermal slowdown), the head's over the base's by -10.0%" in said


def clocks_of(drifts):
    visits = []
    for number, drift in enumerate(drifts, start=1):
        middles = {"base": 1e9, "head": 1e9 * math.exp(drift)}
        order = ("base", "head") if base_comes_first(number) else ("head", "base")
        visits += [
            VisitClock(side=side, middle=middles[side], lowest=middles[side], highest=middles[side]) for side in order
        ]
    return Clocks(device="a GPU", visits=tuple(visits))


def test_clocks_that_move_alike_on_both_sides_fail_nothing():
    clocks = clocks_of([0.05, -0.05, 0.04, -0.04, 0.05, -0.05, 0.01, -0.01, 0.0])
    assert not clocks.locked
    assert exit_code(replace(REPORT, clocks=clocks, strict=True)) is ExitCode.PASS
    assert "Lock them: nvidia-smi -lgc." in findings(replace(REPORT, clocks=clocks))[0].text


def test_clocks_that_cannot_be_read_are_not_tested(stand_in):
    report = replace(REPORT, clocks=stand_in.ask(no_gpu, {"count": 0}))
    assert exit_code(report) is ExitCode.PASS
    assert exit_code(replace(report, strict=True)) is ExitCode.INCONCLUSIVE


def no_gpu():
    with watched_clocks("cuda", 0, {}) as watch:
        return watch.clocks()


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_other_devices_have_no_clocks_that_could_be_watched(kind):
    with watched_clocks(kind, 0, {}) as watch:
        assert watch is None
