"""What visits say beside their step times, from exact numbers."""

from dataclasses import replace

from evabench.records.energy import Energy, EnergyReading
from evabench.records.side_work import SideWork
from evabench.reporting.sections import sections
from evabench.reporting.tables.visit import energy_table, side_work_table, tries_table
from evabench.reporting.warnings import warnings
from tests import runs as made
from tests.reporting.reports import make_report, suite


def changed(runs, **changes):
    return [replace(run, measured=replace(run.measured, **changes)) for run in runs]


def report_of(*runs):
    return make_report(suite(), [*made.visits("SGD", 0.010), *runs])


def test_energy_is_a_median_over_visits_with_its_check():
    reading = EnergyReading(source="cpu", counter_joules=6.0, integral_joules=5.0)
    energy = Energy(seconds=1.0, num_steps=100, readings=(reading,), sampling=None)
    (workload,) = report_of(*changed(made.visits("Eva", 0.011), energy=energy)).workloads
    assert energy_table(workload).rows == (("Eva", "60 mJ", "-", "1.20x (7 in doubt)", "7 windows"),)


def test_energy_to_a_target_is_that_of_a_step_times_the_steps_and_a_miss_is_called_one():
    reading = EnergyReading(source="gpu", counter_joules=100.0, integral_joules=100.0)
    energy = Energy(seconds=1.0, num_steps=100, readings=(reading,), sampling=None)
    arms = {"Eva": [20, 24, None], "Shampoo": [None, None, 20]}
    runs = [run for arm in arms for run in changed(made.visits(arm, 0.011), energy=energy)]
    (workload,) = report_of(
        *runs, *(run for arm, steps in arms.items() for run in made.trainings(arm, steps))
    ).workloads
    table = energy_table(workload)
    rows = [dict(zip(table.headings, row, strict=True)) for row in table.rows]
    assert [(row["arm"], row["CPU, to target"], row["GPU, to target"]) for row in rows] == [
        ("Eva", "-", "24 J"),
        ("Shampoo", "-", "missed"),
    ]


def test_without_a_counter_there_is_no_table_of_energy():
    assert energy_table(report_of().workloads[0]) is None


def beside(seconds):
    return SideWork(cpu_seconds=seconds, block_seconds=0.33, num_steps=30, num_threads=2)


def test_work_beside_the_step_is_a_table_and_a_warning():
    report = report_of(*changed(made.visits("Eva", 0.011), side_work=beside(0.3)))
    assert side_work_table(report.workloads[0]).rows == (("Eva", "10.0 ms", "2", "11.0 ms"),)
    (warning,) = [text for text in warnings(report) if "beside the step" in text]
    assert warning.startswith(
        "Eva on autoencoder: work beside the step, 10.0 ms of CPU time per step in at least 2 other"
    )


def test_a_difference_of_clocks_is_no_work_beside_the_step():
    report = report_of(*changed(made.visits("Eva", 0.011), side_work=beside(0.003)))
    assert side_work_table(report.workloads[0]) is None
    assert not any("beside" in text for text in warnings(report))


def test_a_host_bound_step_and_clocks_that_differ_are_warnings():
    report = report_of(*changed(made.visits("Eva", 0.010, num=1), block_seconds=(0.31,), host_seconds=(0.309,)))
    texts = " ".join(warnings(report))
    assert "host-bound" in texts
    assert "differ by up to 2.3%" in texts


def test_a_leak_is_a_warning():
    run = made.memory("Eva", 1.0, 100, name="autoencoder")
    report = report_of(*changed([run], kept_bytes=10 * 2**20, cycle_steps=10))
    assert "Eva on autoencoder: it keeps 1.00 MiB more after each step: a leak." in warnings(report)


def disturbed(run):
    return replace(run, conditions=replace(run.conditions, steal_share=0.2))


def second_try(run, seconds):
    visit = replace(run.visit, repeated=True)
    measured = replace(run.measured, step_seconds=(seconds / 30,) * 30, block_seconds=(seconds,))
    return replace(run, key=f"{run.key} again", visit=visit, measured=measured, conditions=made.QUIET)


def test_both_tries_at_a_sweep_stand_side_by_side_with_the_reason_and_the_one_that_counts():
    runs = made.visits("Eva", 0.010, num=2)
    first = disturbed(runs[2])
    report = make_report(suite(), [runs[0], runs[1], first, second_try(first, 0.6)])
    (row,) = tries_table(report).rows
    assert row[:3] == ("autoencoder", "2", "Eva")
    assert row[3:6] == ("9.90 ms", "20.0 ms", "second")
    assert row[6] == "The hypervisor took 20.0% of the CPU time."
    titles = [part.title for section in sections(report) for part in section.parts]
    assert "Sweeps that were made a second time" in titles


def test_a_second_try_that_was_disturbed_too_does_not_count():
    first = disturbed(made.visits("Eva", 0.010, num=1)[1])
    report = make_report(suite(), [first, disturbed(second_try(first, 0.6))])
    assert tries_table(report).rows[0][5] == "first"


def test_without_a_second_try_there_is_no_table_of_tries():
    assert tries_table(report_of()) is None
