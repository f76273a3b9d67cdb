"""Why something was not measured: each reason once, from the runs themselves, and never a number in its place."""

from dataclasses import replace

from evabench.records.device_memory import DeviceMemory
from evabench.records.energy import Energy, EnergyReading
from evabench.records.side_work import SideWork
from evabench.reporting.markdown import render_markdown
from evabench.reporting.sections import make_document
from evabench.reporting.tables.missing import missing_table
from tests import runs as made
from tests.reporting.reports import make_report, suite

NO_COUNTERS = "CPU energy: /sys/class/powercap has no RAPL counters: a virtual machine, or a CPU without them."
UNREAD = Energy(seconds=None, num_steps=0, readings=(), sampling=None, missing=(NO_COUNTERS,))
READ = Energy(
    seconds=1.0,
    num_steps=10,
    readings=(EnergyReading(source="cpu", counter_joules=6.0, integral_joules=6.0),),
    sampling=None,
)
QUIET = SideWork(cpu_seconds=0.0, block_seconds=0.3, num_steps=30, num_threads=0)
BEFORE = "The run is from before it was read."


def timed(*, energy=READ, side_work=QUIET, threads=1, **changes):
    """Return two visits of SGD, the pilot among them."""
    return [
        replace(run, measured=replace(run.measured, energy=energy, side_work=side_work, **changes))
        for run in made.visits("SGD", 0.010, num=1, threads=threads)
    ]


def weighed(device):
    run = made.memory("SGD", 1.0, 100, name="autoencoder")
    return replace(run, measured=replace(run.measured, device=device))


def test_a_training_run_from_before_its_wait_was_read_says_so():
    assert rows(*made.trainings("SGD", [20])) == (("wait for batches and first step of training", "1", BEFORE),)


def rows(*runs):
    table = missing_table(make_report(suite(), runs))
    return None if table is None else table.rows


def test_the_reason_why_energy_is_missing_stands_once_with_the_number_of_its_runs():
    assert rows(*timed(energy=UNREAD)) == (("energy of a step", "2", NO_COUNTERS),)


def test_one_source_of_two_may_be_missing():
    assert rows(*timed(energy=replace(READ, missing=("power: no permission to read it.",)))) == (
        ("energy of a step", "2", "power: no permission to read it."),
    )


def test_one_reason_for_several_things_is_one_row():
    no_driver = "NVML: the NVIDIA driver is not loaded."
    runs = [*timed(energy=replace(UNREAD, missing=(no_driver,))), weighed(DeviceMemory(missing=(no_driver,)))]
    assert rows(*runs) == (("energy of a step, memory of the device", "2, 1", no_driver),)


def test_memory_of_a_device_that_is_missing_has_the_reason_of_its_run():
    on_a_cpu = "device memory: this run trained on a CPU, which has none."
    assert rows(weighed(DeviceMemory(missing=(on_a_cpu,)))) == (("memory of the device", "1", on_a_cpu),)


def test_work_beside_the_step_is_not_told_from_torchs_own_threads():
    ((what, num_runs, reason),) = rows(*timed(side_work=None, threads=4))
    assert (what, num_runs) == ("work beside the step", "2")
    assert "torch computes in 4 threads" in reason


def test_on_a_gpu_autograds_thread_is_the_reason():
    ((_, _, reason),) = rows(*timed(side_work=None, host_seconds=(0.2,)))
    assert "autograd has a thread of its own" in reason


def test_runs_from_before_something_was_read_are_called_that():
    runs = [*timed(energy=None, side_work=None), weighed(None)]
    assert rows(*runs) == (("energy of a step, work beside the step, memory of the device", "2, 2, 1", BEFORE),)


def test_where_everything_was_measured_there_is_no_table():
    assert rows(*timed(), weighed(DeviceMemory(allocated_bytes=1))) is None


def test_the_report_has_the_reason_and_no_energy_of_0():
    text = render_markdown(make_document(make_report(suite(), timed(energy=UNREAD))))
    assert text.count(NO_COUNTERS) == 1
    assert " 0 mJ" not in text
