"""Energy: whole cycles in a window of at least 1 s, counter against integral, None with the reason."""

import pytest
import torch

from evabench.measurement.energy.energy import NvmlEnergy, energy_of_samples, measure_energy, measure_energy_on
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.nvml.devices import device_of_uuid
from evabench.nvml.library import Nvml
from evabench.records.energy import Energy, EnergyReading
from evabench.sampling import Sampler
from tests.measurement.test_rapl import domain
from tests.nvml.stand_in import GPU_0, ONE_GPU, SLICE_0, SLICED, change_scenario

HOUR = 3600.0


class FakeMachine:
    """Draws `watts`, counts `counted_watts`, and takes a quarter of a second a step."""

    source = "gpu"
    missing = ()

    def __init__(self, watts=200.0, counted_watts=200.0):
        self.watts, self.counted_watts = watts, counted_watts
        self.now, self.steps, self.synchronized = 0.0, 0, 0

    def step(self):
        self.now += 0.25
        self.steps += 1

    def synchronize(self):
        self.synchronized += 1

    def joules(self):
        return None if self.counted_watts is None else self.now * self.counted_watts

    def power(self):
        return self.watts

    def measure(self, cycle_steps=1):
        return measure_energy(
            self.step, cycle_steps, [self], synchronize=self.synchronize, now=lambda: self.now, period_seconds=HOUR
        )


def reading(energy):
    (only,) = energy.readings
    return only


def test_the_window_is_whole_cycles_and_at_least_one_second():
    machine = FakeMachine()
    energy = machine.measure(cycle_steps=3)
    assert (energy.seconds, energy.num_steps, machine.steps) == (1.5, 6, 6)
    assert energy.joules_per_step("gpu") == pytest.approx(50.0)
    assert energy.joules_per_step("cpu") is None


def test_the_device_is_waited_for_before_the_window_and_at_the_end_of_each_cycle_only():
    machine = FakeMachine()
    machine.measure(cycle_steps=3)
    assert machine.synchronized == 3


def test_counter_and_integral_that_agree_are_not_in_doubt():
    found = reading(FakeMachine().measure())
    assert found.counter_joules == pytest.approx(200.0)
    assert found.integral_joules == pytest.approx(200.0)
    assert found.disagreement == pytest.approx(0.0)
    assert not found.in_doubt


def test_counter_and_integral_that_contradict_each_other_are_in_doubt():
    found = reading(FakeMachine(watts=327.0, counted_watts=187.0).measure())
    assert found.disagreement == pytest.approx(187 / 327 - 1)
    assert found.in_doubt


def test_without_a_counter_the_integral_stands_alone_and_is_not_cross_checked():
    found = reading(FakeMachine(counted_watts=None).measure())
    assert (found.counter_joules, found.joules) == (None, pytest.approx(200.0))
    assert found.disagreement is None


def test_the_integral_is_trapezoidal():
    machine = FakeMachine(counted_watts=None)
    sampler = Sampler(lambda: ((machine.joules(), machine.watts),), HOUR, now=lambda: machine.now)
    for when, watts in ((0.0, 100.0), (0.5, 300.0), (2.0, 100.0)):
        machine.now, machine.watts = when, watts
        sampler.take()
    assert reading(energy_of_samples(sampler, [machine], 1)).joules == pytest.approx(100 + 300)


def test_the_edges_of_a_window_do_not_count_where_a_counter_moves_seldom():
    machine = FakeMachine()
    sampler = Sampler(lambda: ((20.0 * int(10 * machine.now + 0.001), 200.0),), HOUR, now=lambda: machine.now)
    for milliseconds in range(1090, 2120, 10):  # from just before a change to just behind one: 11 changes of 20 J
        machine.now = milliseconds / 1e3
        sampler.take()
    assert reading(energy_of_samples(sampler, [machine], 1)).counter_joules == pytest.approx(1.02 * 200.0, rel=1e-3)


def test_the_power_settles_before_the_window_under_the_same_steps():
    machine = FakeMachine()
    energy = measure_energy(
        machine.step,
        3,
        [machine],
        synchronize=machine.synchronize,
        now=lambda: machine.now,
        period_seconds=HOUR,
        settling_seconds=1.1,
    )
    assert (energy.num_steps, machine.steps) == (6, 12)


def test_a_counter_that_stood_still_is_none_with_the_reason_and_never_0_joules():
    energy = FakeMachine(watts=None, counted_watts=0.0).measure()
    assert energy.readings == ()
    assert energy.joules_per_step("gpu") is None
    assert energy.missing == ("gpu energy: its counter stood still in a window of 1 s.",)


def test_energy_to_a_target_is_steps_times_energy_of_a_step_and_none_for_a_miss():
    read = EnergyReading(source="cpu", counter_joules=30.0, integral_joules=None)
    energy = Energy(seconds=1.0, num_steps=10, readings=(read,), sampling=None)
    assert energy.joules_to_target("cpu", 500) == pytest.approx(1500.0)
    assert energy.joules_to_target("cpu", None) is None
    assert energy.joules_to_target("gpu", 500) is None


def measure_on_the_stand_in(uuid, scenario):
    now = 0.0

    def step():
        nonlocal now
        now += 0.5
        change_scenario({**scenario, "gpu.0.energy": int(7_000_250 + 350_500 * now)})

    with Nvml() as nvml:
        gpu = NvmlEnergy(device_of_uuid(nvml, uuid))
        return measure_energy(step, 1, [gpu], synchronize=int, now=lambda: now, period_seconds=HOUR)


def test_a_gpu_gives_its_counter_and_its_power(stand_in):
    energy = stand_in.ask(measure_on_the_stand_in, ONE_GPU, GPU_0, ONE_GPU)
    assert reading(energy) == EnergyReading(source="gpu", counter_joules=350.5, integral_joules=350.5)
    assert energy.missing == ()


def test_a_gpu_without_a_counter_gives_the_integral_and_the_reason(stand_in):
    bare = {**ONE_GPU, "gpu.0.energy": "error:3"}

    energy = stand_in.ask(measure_without_counter, bare, GPU_0)
    assert reading(energy) == EnergyReading(source="gpu", counter_joules=None, integral_joules=350.5)
    assert energy.missing == (f"NVIDIA H100 ({GPU_0}), energy counter: this device does not support it.",)


def measure_without_counter(uuid):
    times = iter([0.0] * 3 + [1.0] * 10)
    with Nvml() as nvml:
        gpu = NvmlEnergy(device_of_uuid(nvml, uuid))
        return measure_energy(int, 1, [gpu], synchronize=int, now=lambda: next(times), period_seconds=HOUR)


def test_a_slice_has_no_energy_of_its_own_and_the_record_says_why(stand_in):
    energy = stand_in.ask(measure_without_counter, SLICED, SLICE_0)
    assert energy.readings == ()
    assert all("a MIG slice has none of its own" in reason for reason in energy.missing)
    assert len(energy.missing) == 2


def test_where_nothing_counts_no_window_is_run_and_the_record_says_why(tmp_path):
    energy = measure_energy_on(torch.device("cpu"), pytest.fail, 1, RaplEnergy(tmp_path))
    assert (energy.seconds, energy.num_steps, energy.readings) == (None, 0, ())
    assert "has no RAPL counters" in energy.missing[0]


def test_on_a_cpu_with_counters_a_window_is_run(tmp_path):
    counter = domain(tmp_path, "intel-rapl:0", "package-0", 0, limit=10**12)

    def step():
        draft = counter.with_suffix(".draft")
        draft.write_text(str(int(counter.read_text()) + 250_000))
        draft.rename(counter)  # the sampler never reads half a number

    energy = measure_energy_on(torch.device("cpu"), step, 1, RaplEnergy(tmp_path))
    assert energy.seconds >= 1
    assert energy.joules_per_step("cpu") == pytest.approx(0.25)
