"""The clock, against a fake one with exact numbers."""

import pytest

from evabench.measurement.timing.clock import CpuClock, find_warm_up, time_visit
from evabench.records.measurement import StepTimeSettings, WarmUpSettings

MILLISECOND = 1_000_000


class FakeMachine:
    """Its steps take as many milliseconds as they are told."""

    def __init__(self, milliseconds):
        self._milliseconds, self.steps, self._now = milliseconds, 0, 0

    def step(self):
        self._now += self._milliseconds(self.steps) * MILLISECOND
        self.steps += 1

    @property
    def clock(self):
        return CpuClock(now=lambda: self._now)


def test_a_block_is_whole_cycles_and_begins_with_a_refresh():
    machine = FakeMachine(lambda step: 100 if step % 10 == 0 else 10)
    visit = time_visit(machine.step, machine.clock, StepTimeSettings(), cycle_steps=10, warmup_steps=20)
    assert machine.steps == 50
    assert visit.refresh_seconds == pytest.approx(0.1)
    assert visit.plain_seconds == pytest.approx(0.01)
    assert visit.amortised_seconds == pytest.approx(0.019)
    assert visit.block_seconds == pytest.approx((0.57,))


def test_the_warm_up_is_not_in_the_block():
    machine = FakeMachine(lambda step: 500 if step < 20 else 2)
    visit = time_visit(machine.step, machine.clock, StepTimeSettings(), cycle_steps=1, warmup_steps=20)
    assert visit.step_seconds == pytest.approx((0.002,) * 30)
    assert visit.refresh_seconds is None


def test_a_warm_up_that_cuts_a_cycle_is_refused():
    with pytest.raises(ValueError, match="no whole number of cycles of 10"):
        time_visit(lambda: None, CpuClock(), StepTimeSettings(), cycle_steps=10, warmup_steps=15)


@pytest.mark.parametrize(("cycle", "steps"), [(1, 30), (7, 35), (10, 30), (20, 60), (50, 50), (70, 70)])
def test_a_block_has_three_cycles_and_thirty_steps_unless_the_cycle_is_long(cycle, steps):
    assert StepTimeSettings().block_steps(cycle) == steps


def test_the_pilot_ends_when_two_windows_agree():
    machine = FakeMachine(lambda step: 30 if step < 20 else 10)
    warm_up = find_warm_up(machine.step, machine.clock, WarmUpSettings(), cycle_steps=1)
    assert warm_up.window_median_seconds == pytest.approx((0.03, 0.03))
    assert warm_up.steady_after_steps == 10


def test_the_first_step_of_the_pilot_in_which_code_is_compiled_stands_apart():
    machine = FakeMachine(lambda step: 3000 if step == 0 else 10)
    warm_up = find_warm_up(machine.step, machine.clock, WarmUpSettings(), cycle_steps=1)
    assert warm_up.first_step_seconds == pytest.approx(3.0)
    assert warm_up.window_median_seconds == pytest.approx((0.01, 0.01))


def test_the_pilot_gives_up_when_its_time_is_over_and_discards_all_it_tried():
    machine = FakeMachine(lambda step: 100 + 20 * step)
    warm_up = find_warm_up(machine.step, machine.clock, WarmUpSettings(max_seconds=5.0), cycle_steps=4)
    assert warm_up.window_steps == 12
    assert warm_up.steady_after_steps is None
    assert warm_up.discarded_steps == machine.steps


def test_the_pilot_waits_until_the_clock_of_the_device_is_up():
    machine = FakeMachine(lambda step: 40)
    readings = iter([0.3e9, 0.3e9, 1.2e9, 1.8e9, 1.8e9, 1.8e9])  # two are equal before the clock has risen
    warm_up = find_warm_up(machine.step, machine.clock, WarmUpSettings(), cycle_steps=1, speed=lambda: next(readings))
    assert warm_up.steady_after_steps == 10 * 4


def test_a_device_whose_clock_nobody_tells_is_judged_by_its_steps():
    machine = FakeMachine(lambda step: 50)
    warm_up = find_warm_up(machine.step, machine.clock, WarmUpSettings(), cycle_steps=1, speed=lambda: None)
    assert warm_up.steady_after_steps == 10
