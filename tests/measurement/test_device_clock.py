"""The clock of a GPU, against a fake device: a queue that takes exact times."""

import pytest

from evabench.measurement.timing.clock import time_visit
from evabench.records.measurement import StepTimeSettings
from evabench.records.step_time import StepTime
from tests.measurement.fake_device import FakeDevice

SETTINGS = StepTimeSettings(min_steps=6)


def visit(device, cycle_steps=1):
    return time_visit(device.step, device.clock, SETTINGS, cycle_steps, warmup_steps=0)


def test_steps_are_the_devices_times_and_the_block_is_wall_time():
    found = visit(FakeDevice(host_ms=1, device_ms=[30, 10, 10]), cycle_steps=3)
    assert found.step_seconds[1:3] == pytest.approx((0.010, 0.010))
    assert found.position_seconds[1:] == pytest.approx((0.010, 0.010))
    assert found.block_seconds == (pytest.approx(0.001 + 3 * 0.050),)
    assert found.refresh_seconds == pytest.approx(0.030)


def test_nothing_waits_inside_the_block():
    device = FakeDevice(host_ms=1, device_ms=[10])
    device.clock.time_steps(device.step, 6)
    assert device.num_synchronised == 2


def test_the_latency_is_that_of_a_step_that_is_awaited():
    found = visit(FakeDevice(host_ms=3, device_ms=[10]))
    assert found.latency_seconds == pytest.approx((0.013,) * 6)


def test_a_host_that_runs_ahead_does_not_bind_the_step():
    found = visit(FakeDevice(host_ms=1, device_ms=[10]))
    assert found.host_seconds == (pytest.approx(0.006),)
    assert found.host_bound is False


def test_a_device_that_waits_for_the_host_is_flagged():
    assert visit(FakeDevice(host_ms=10, device_ms=[0.5])).host_bound is True


@pytest.mark.parametrize(
    ("lag_ms", "host_bound"),
    [(11.3, False), (5.0, False), (1.0, True)],
    ids=["1,017 kernels of an H100's queue", "a queue of the shortest kernels", "a last kernel"],
)
def test_a_step_longer_than_the_launch_queue_is_told_by_what_the_queue_holds(lag_ms, host_bound):
    block = 3 * 0.340
    found = StepTime(
        step_seconds=(0.340,) * 3,
        block_seconds=(block,),
        latency_seconds=None,
        cycle_steps=1,
        warmup_steps=0,
        host_seconds=(block - lag_ms / 1e3,),
    )
    assert found.host_bound is host_bound


@pytest.mark.parametrize(("drift", "in_doubt"), [(1.0, False), (1.03, True), (0.95, True)])
def test_two_clocks_that_differ_by_more_than_2_percent_are_flagged(drift, in_doubt):
    found = visit(FakeDevice(host_ms=0, device_ms=[10], drift=drift))
    assert found.clock_disagreement == pytest.approx(drift - 1)
    assert found.in_doubt is in_doubt


class FakeMoment:
    def __init__(self):
        self.said = []

    def keep(self):
        self.said.append("keep")

    def rewind(self):
        self.said.append("rewind")


def test_each_block_begins_at_the_moment_that_was_kept_and_with_a_cycle_that_is_not_timed():
    device, moment = FakeDevice(host_ms=1, device_ms=[30, 10, 10]), FakeMoment()
    found = time_visit(device.step, device.clock, SETTINGS, 3, warmup_steps=3, moment=moment)
    assert moment.said == ["keep", "rewind", "rewind"]
    assert device.num_steps == 3 + (3 + 9) + (3 + 9)  # warm-up, the block, the latencies
    assert len(found.step_seconds) == len(found.latency_seconds) == 9
