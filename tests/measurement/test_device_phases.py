"""The parts of a step on a GPU, against a fake device: the device's own times, nothing awaited inside a cycle."""

import pytest
import torch

from evabench.measurement.timing.device_clock import marks_on
from evabench.measurement.timing.phases import HostMarks, PhaseRecorder, time_phases
from evabench.optimizers.phases import listening, phase
from evabench.records.measurement import PhasesSettings
from tests.measurement.fake_device import FakeDevice

SETTINGS = PhasesSettings(min_steps=6, min_cycles=2, min_warmup_steps=1)


def step_on(device):
    """Return a step of 20 ms, 1 ms of them outside any mark."""

    def step():
        with phase("forward"):
            device.work(4)
        with phase("backward"):
            device.work(5)
            with phase("capture"):
                device.work(2)
            device.work(3)
        device.work(1)
        with phase("update"):
            device.work(5)

    return step


PARTS = {"other": 0.001, "forward": 0.004, "backward": 0.008, "capture": 0.002, "update": 0.005}


def test_the_parts_are_the_devices_times_not_those_of_the_host_that_runs_ahead():
    device = FakeDevice(host_ms=0)
    phases = time_phases(step_on(device), SETTINGS, cycle_steps=3, clock=device.marks)
    assert phases.steps == (PARTS,) * 6
    assert phases.plain_seconds == (0.020,) * 6
    assert phases.marked_over_plain == pytest.approx((1.0, 1.0))


def test_a_part_is_charged_for_the_wait_for_its_own_work_to_be_queued():
    device = FakeDevice(host_ms=1)
    first, second, third, *_ = time_phases(step_on(device), SETTINGS, cycle_steps=3, clock=device.marks).steps
    assert first == PARTS | {"forward": 0.005}  # nothing is queued when a cycle begins
    assert (second, third) == (PARTS, PARTS)


def test_a_device_that_is_faster_than_its_host_has_the_hosts_times():
    device = FakeDevice(host_ms=10)
    _, step, *_ = time_phases(step_on(device), SETTINGS, cycle_steps=3, clock=device.marks).steps
    assert step == {"other": 0.008, "forward": 0.009, "backward": 0.022, "capture": 0.007, "update": 0.014}


def test_the_device_is_awaited_behind_the_warm_up_and_behind_each_cycle_only():
    device = FakeDevice(host_ms=0)
    phases = time_phases(step_on(device), SETTINGS, cycle_steps=3, clock=device.marks)
    num_cycles = (len(phases.steps) + len(phases.plain_seconds)) / 3
    assert device.num_synchronised == 1 + num_cycles == 5


def test_the_parts_add_up_to_the_step():
    device = FakeDevice(host_ms=0.3)
    phases = time_phases(step_on(device), SETTINGS, cycle_steps=1, clock=device.marks)
    assert phases.step_seconds == pytest.approx(phases.plain_seconds)


def test_a_step_begins_where_the_device_has_done_what_was_queued_before_it():
    device = FakeDevice(host_ms=0)
    recorder = PhaseRecorder(device.marks)
    device.work(100)  # of the step before
    with listening(recorder):
        recorder.begin()
        step_on(device)()
        recorder.end()
    assert recorder.read() == [PARTS]


def test_on_a_cpu_the_host_clock_stamps_the_marks():
    assert marks_on(torch.device("cpu")) == HostMarks()
