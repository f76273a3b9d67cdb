"""A report as tables of text."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from evabench.records.device_memory import DeviceMemory
from evabench.records.health import Health
from evabench.records.measurement import WarmUpSettings
from evabench.records.step_time import WarmUp
from evabench.reporting.html import render_html
from evabench.reporting.markdown import render_markdown
from evabench.reporting.sections import make_document
from evabench.reporting.tables.audits import audits_table
from evabench.reporting.tables.clock import clock_table, clock_warnings
from evabench.reporting.tables.convergence import convergence_table
from evabench.reporting.tables.cost import cost_table, phases_table, step_table
from evabench.reporting.tables.health import health_table, healths_table
from evabench.reporting.tables.memory import allocation_table, device_table, growth_table, memory_table
from evabench.reporting.tables.origin import conditions_table, host_table, settings_table, unfinished_table
from evabench.reporting.tables.pairs import make_pairs, pairs_table
from evabench.reporting.terminal import print_report
from evabench.reporting.warnings import warnings
from evabench.suite.convergence import ConvergenceTable
from tests import runs as made
from tests.reporting.reports import make_report, report, suite


@pytest.fixture(scope="module")
def whole():
    return report()


def row(table, name):
    return dict(zip(table.headings, next(row for row in table.rows if row[0] == name), strict=True))


def test_every_row_has_a_cell_for_every_heading(whole):
    (workload,) = whole.workloads
    makers = (cost_table, step_table, phases_table, convergence_table, clock_table, memory_table)
    tables = [make(workload) for make in makers] + [make(whole) for make in (settings_table, host_table)]
    tables += [conditions_table(whole), *map(growth_table, whole.families)]
    for table in tables:
        assert {len(cells) for cells in table.rows} == {len(table.headings)}, table.title
        assert table.text <= set(table.headings), table.title


def test_a_ratio_has_its_interval_and_the_reference_is_1(whole):
    table = cost_table(whole.workloads[0])
    assert row(table, "SGD")["step / SGD [95 %]"] == "1"
    assert row(table, "K-FAC@10")["step / SGD [95 %]"].startswith("3.0")
    assert "[" in row(table, "K-FAC@10")["step / SGD [95 %]"]


def test_sgd_by_both_kernels_gives_two_ratios():
    arms = {
        "SGD": made.ARMS["SGD"],
        "SGD, default kernel": replace(made.ARMS["SGD"], fused=not made.ARMS["SGD"].fused),
        "SGD, other rate": replace(made.ARMS["SGD"], lr=0.7),
        "Eva": made.ARMS["Eva"],
    }
    seconds = {"SGD": 0.01, "SGD, default kernel": 0.0125, "SGD, other rate": 0.01, "Eva": 0.02}
    runs = [
        replace(one, cell=replace(one.cell, arm=name, optimizer=arms[name]))
        for name in arms
        for one in made.visits("Eva", seconds[name])
    ]
    (workload,) = make_report(suite(arms=arms), runs).workloads
    table = cost_table(workload)
    ratios = {name: [row(table, name)[f"step / {base} [95 %]"][:3] for base in table_bases(table)] for name in arms}
    assert ratios == {
        "SGD": ["1", "0.8"],
        "SGD, default kernel": ["1.2", "1"],
        "SGD, other rate": ["1.0", "0.8"],
        "Eva": ["2.0", "1.6"],
    }


def table_bases(table):
    over = [heading for heading in table.headings if heading.startswith("step / ")]
    return [heading.removeprefix("step / ").removesuffix(" [95 %]") for heading in over]


def test_below_6_pairs_no_interval_is_shown():
    few = [*made.visits("SGD", 0.01, num=5), *made.visits("Eva", 0.02, num=5)]
    (workload,) = make_report(suite(), few).workloads
    assert row(cost_table(workload), "Eva")["step / SGD [95 %]"] == "2.00x (5 pairs: no interval)"


def test_a_control_character_of_a_stored_line_is_spelled_out_in_every_rendering():
    run = made.failed(made.trainings("SGD", [20])[0], "crashed")
    broken = replace(run, outcome=replace(run.outcome, reason="\x1b[2J\x07\u202egone"))
    report = make_report(suite(), [broken])
    assert row(unfinished_table(report), f"{run.cell.title}, seed 1")["reason"] == r"\x1b[2J\x07\u202egone"
    console = Console(file=StringIO(), width=200)
    print_report(console, report)
    document = make_document(report)
    for rendered in (console.file.getvalue(), render_markdown(document), render_html(document)):
        assert "\x1b" not in rendered
        assert "gone" in rendered


def test_without_a_reference_there_is_no_ratio_to_explain():
    (workload,) = make_report(suite(arms={"Eva": made.ARMS["Eva"]}), made.visits("Eva", 0.02, 1)).workloads
    table = cost_table(workload)
    assert table.headings == ("arm", "step")
    assert "Ratio" not in table.note


@pytest.mark.parametrize(
    ("num", "words"),
    [
        (1, "Ratio: of the one pair of visits, which says nothing about its error."),
        (5, "of up to 5 pairs of visits, too few for an interval (it takes 6)."),
        (7, "of up to 7 pairs of visits."),
    ],
)
def test_the_note_says_what_so_many_pairs_are_worth(num, words):
    (workload,) = make_report(suite(), [*made.visits("SGD", 0.01, num), *made.visits("Eva", 0.02, num)]).workloads
    assert cost_table(workload).note.split(" Peak:")[0].endswith(words)


def waiting(arm, waited, first_step):
    runs = made.trainings(arm, [20, 20, 20])
    return [
        replace(run, measured=replace(run.measured, input_wait_seconds=waited, first_step_seconds=first_step))
        for run in runs
    ]


def test_the_wait_for_batches_is_a_share_of_the_training_clock_and_the_first_step_stands_beside_it():
    report = make_report(suite(), [*waiting("SGD", 0.36, 2.5), *made.trainings("Eva", [20])])
    table = clock_table(report.workloads[0])
    assert row(table, "SGD") == {
        "arm": "SGD",
        "training clock": "720 ms",
        "waiting for batches": "50.0%",
        "first step": "2.50 s",
    }
    assert row(table, "Eva")["waiting for batches"] == row(table, "Eva")["first step"] == "-"


def test_a_long_wait_for_batches_is_among_the_warnings():
    report = make_report(suite(), [*waiting("SGD", 0.36, 2.5), *waiting("Eva", 0.09, 2.5)])
    (told,) = clock_warnings(report)
    assert told == "Training on autoencoder waited for its batches, SGD for 50% of its clock."
    assert told in warnings(report)


def test_times_to_target_are_points_and_a_miss_is_called_one(whole):
    table = convergence_table(whole.workloads[0])
    assert row(table, "Eva")["steps to target"] == "20, 20, 20"
    assert row(table, "Shampoo")["time to target"] == "missed by all 3"


def test_one_miss_stands_among_the_points():
    (workload,) = make_report(suite(), made.trainings("Eva", [20, None, 24])).workloads
    assert row(convergence_table(workload), "Eva")["steps to target"] == "20, missed, 24"


def test_of_many_seeds_the_median_and_the_range_are_told_and_a_miss_is_later_than_any_step():
    steps = [20, 24, 28, 32, 36, 40, None, None]
    (workload,) = make_report(suite(), made.trainings("Eva", steps)).workloads
    table = convergence_table(workload)
    assert row(table, "Eva")["steps to target"] == "34 (20 to missed, 2 of 8 missed)"
    assert "the median of the seeds (their range)" in table.note
    (workload,) = make_report(suite(), made.trainings("Eva", [20, 24, 28, None, None, None])).workloads
    assert row(convergence_table(workload), "Eva")["steps to target"] == "missed (20 to missed, 3 of 6 missed)"


def test_accuracy_stands_in_the_table_of_a_workload_that_has_it_and_in_no_other(whole):
    assert "test accuracy, %" not in convergence_table(whole.workloads[0]).headings
    trained = [
        made.replace(run, measured=made.replace(run.measured, test_accuracy=share))
        for run, share in zip(made.trainings("Eva", [20, 20, 20]), (0.9, 0.92, 0.91), strict=True)
    ]
    (workload,) = make_report(suite(), trained).workloads
    assert row(convergence_table(workload), "Eva")["test accuracy, %"] == "91.00"


def test_diverged_seeds_are_counted_beside_the_median():
    trained = made.trainings("Eva", [20, 20])
    lost = made.training("Eva", 3, None)
    lost = made.replace(lost, measured=made.replace(lost.measured, evaluations=lost.measured.evaluations[:3]))
    (workload,) = make_report(suite(), [*trained, lost]).workloads
    assert row(convergence_table(workload), "Eva")["val. loss"] == "0.5000 (2 of 3 seeds)"


def test_the_range_over_seeds_stands_beside_the_median():
    (workload,) = make_report(suite(), made.trainings("Eva", [20, 20, 20])).workloads
    assert row(convergence_table(workload), "Eva")["its range"] == "0.5000 to 0.5000"
    (workload,) = make_report(suite(), made.trainings("Eva", [20])).workloads
    assert "its range" not in convergence_table(workload).headings


def test_an_arm_that_was_not_timed_has_dashes_beside_one_that_was():
    runs = [*made.visits("SGD", 0.01, num=6), *made.trainings("Eva", [20])]
    (workload,) = make_report(suite(), runs).workloads
    assert row(cost_table(workload), "Eva") == {"arm": "Eva", "step": "-", "step / SGD [95 %]": "-"}


def test_what_no_arm_was_measured_for_is_left_out():
    (workload,) = make_report(suite(), made.trainings("Eva", [20])).workloads
    assert cost_table(workload) is None
    assert step_table(workload) is None
    assert memory_table(workload) is None


def test_the_parts_of_a_step_stand_beside_their_sum_and_what_the_marks_cost(whole):
    table = phases_table(whole.workloads[0])
    assert row(table, "SGD") == {
        "arm": "SGD",
        "forward": "4.00 ms",
        "backward": "5.00 ms",
        "update": "1.00 ms",
        "sum": "10.0 ms",
        "marked / plain": "1.00x",
    }


def test_health_counts_over_the_runs_of_an_arm_and_names_the_idle_layers():
    sick = Health(
        num_layers=2, layers_without_statistics=("out",), num_escalations=3, skipped_steps={"in": 4, "out": 1}
    )
    trained = [made.replace(run, health=sick, preconditioned_share=0.5) for run in made.trainings("Eva", [20, 20])]
    (workload,) = make_report(suite(), trained).workloads
    assert row(health_table(workload), "Eva") == {
        "arm": "Eva",
        "preconditioned": "50.0%",
        "more damping": "6",
        "failed": "0",
        "steps skipped": "8",
        "layers without statistics": "out",
    }


def test_latency_is_a_column_where_a_device_was_awaited(whole):
    assert "latency" not in step_table(whole.workloads[0]).headings
    awaited = [
        made.replace(run, measured=made.replace(run.measured, latency_seconds=(0.02, 0.03, 0.04)))
        for run in made.visits("Eva", 0.01)
    ]
    (workload,) = make_report(suite(), awaited).workloads
    assert row(step_table(workload), "Eva")["latency"] == "30.0 ms"


def test_the_first_step_of_the_pilot_is_a_column_of_its_own():
    pilot = WarmUp(window_steps=10, window_median_seconds=(0.01, 0.01), steady_after_steps=10, first_step_seconds=3.0)
    runs = [made.run("Eva", WarmUpSettings(), pilot, sweep=0), *made.visits("Eva", 0.01)[1:]]
    (workload,) = make_report(suite(), runs).workloads
    assert row(step_table(workload), "Eva")["first step"] == "3.00 s"
    assert row(step_table(workload), "Eva")["slowest position"] == "10.1 ms"


def with_memory(**changes):
    run = made.memory("Eva", 1.0, 100, name="autoencoder")
    return make_report(suite(), [made.replace(run, measured=made.replace(run.measured, **changes))]).workloads[0]


def test_what_the_allocator_does_not_explain_of_a_process_has_a_column():
    table = allocation_table(with_memory(rss_high_water_bytes=5 * 2**20, allocator_peak_bytes=2**20))
    assert row(table, "Eva")["unexplained"] == "4.00 MiB"
    assert row(allocation_table(with_memory()), "Eva")["unexplained"] == "-"


def test_memory_of_the_device_is_a_table_only_where_something_was_counted():
    assert device_table(with_memory(device=DeviceMemory(missing=("no device",)))) is None
    counted = DeviceMemory(
        allocated_bytes=2**30,
        data_bytes=2**20,
        library_bytes=2**29,
        reserved_bytes=2**31,
        process_bytes=3 * 2**30,
        device_bytes=2**32,
        most_processes=2,
    )
    assert row(device_table(with_memory(device=counted)), "Eva") == {
        "arm": "Eva",
        "tensors": "2.55 KiB",
        "+ data set": "1.00 MiB",
        "+ libraries": "512 MiB",
        "+ rest": "511 MiB",
        "= allocated": "1.00 GiB",
        "reserved": "2.00 GiB",
        "process": "3.00 GiB",
        "context and more": "1.00 GiB",
        "device": "4.00 GiB",
        "device before": "-",
        "processes": "2",
    }


def test_growth_says_exactly_who_has_a_quadratic_term(whole):
    (family,) = whole.families
    table = growth_table(family)
    assert row(table, "Eva")["grows with d^2"] == "no"
    assert row(table, "Shampoo")["grows with d^2"] == "yes"


def test_runs_that_did_not_complete_come_with_their_reason():
    crashed = made.failed(made.training("Eva", 0, 20), "crashed")
    table = unfinished_table(make_report(suite(), [crashed]))
    assert table.rows == (("autoencoder, Eva, convergence, seed 0", "1", "crashed", "it crashed"),)


def test_runs_that_failed_for_one_reason_are_one_row():
    crashed = [made.failed(made.training("Eva", seed, 20), "crashed") for seed in range(5)]
    killed = made.failed(made.training("SGD", 0, 20), "killed")
    first, second = unfinished_table(make_report(suite(), [*crashed, killed])).rows
    assert first[0].endswith("seed 1; autoencoder, Eva, convergence, seed 2; and 2 more")
    assert first[1:] == ("5", "crashed", "it crashed")
    assert second[1:] == ("1", "killed", "it killed")


def test_disturbed_runs_are_counted_among_the_timed_ones_and_told_above_the_numbers():
    noisy = made.replace(made.QUIET, steal_share=0.2)
    visits = [made.replace(run, conditions=noisy) for run in made.visits("Eva", 0.01, num=2)]
    shaken = make_report(suite(), [*visits, made.training("Eva", 0, 20)])
    assert row(conditions_table(shaken), "step time")["disturbed"] == "3"
    assert row(conditions_table(shaken), "convergence")["disturbed"] == "0"
    told = " ".join(warnings(shaken))
    assert "3 of 3 timed runs that count were disturbed. One of them: The hypervisor took 20.0%" in told


def test_of_a_sweep_that_was_made_twice_the_quiet_try_counts_and_both_are_listed():
    noisy = made.replace(made.QUIET, steal_share=0.2)
    first = [made.replace(run, conditions=noisy) for run in made.visits("Eva", 0.02)]
    second = [made.replace(run, visit=made.replace(run.visit, repeated=True)) for run in made.visits("Eva", 0.01)]
    twice = make_report(suite(), [*first, *second])
    (eva,) = twice.workloads[0].arms
    assert eva.amortised_seconds < 0.011
    assert len(twice.runs) == 16


def test_conditions_are_told_by_kind_of_run(whole):
    assert row(conditions_table(whole), "step time")["number"] == str(8 * len(made.ARMS))
    assert row(conditions_table(whole), "step time")["stolen time"] == "-"


def test_arm_against_arm_is_a_table_of_numbers_and_answers_that_tells_a_reason_of_many_once():
    slow = {"SGD": 0.010, "Eva": 0.011, "K-FAC@1": 0.07, "K-FAC@10": 0.03}
    runs = [one for arm, seconds in slow.items() for one in made.visits(arm, seconds)]
    runs += [one for arm in slow for one in made.trainings(arm, [20, 20, 20])]
    table = pairs_table(make_pairs(make_report(suite(), runs)))
    eva = row(table, "Eva against SGD")
    assert (eva["step ratio"], eva["no dearer?"]) == ("1.1000x [1.1000, 1.1000]", "refuted")
    assert eva["no later?"] == "inconclusive"
    reason = "It cannot be decided: autoencoder needs 8 seeds, has 3."
    assert table.note.count(reason) == 1
    assert reason not in eva["why it is open"]
    assert "below 1x is slower" in table.note


def test_a_process_has_nothing_unexplained_where_the_allocator_is_that_of_a_device():
    table = allocation_table(with_memory(device=DeviceMemory(allocated_bytes=2**30), allocator_peak_bytes=2**30))
    assert "unexplained" not in table.headings
    assert "The process is in the memory of the host" in table.note


def test_audits_of_many_comparisons_are_counted_by_answer_and_noes_are_named():
    workloads = {f"net {number}": made.NET for number in range(8)}
    runs = [one for name in workloads for arm in ("SGD", "Eva") for one in made.trainings(arm, [20, 20], name=name)]
    trained = ConvergenceTable(seeds=2, epochs=2, evaluate_every=made.EVERY)
    table = audits_table(make_report(suite(workloads=workloads, convergence=trained), runs))
    assert table.headings == ("question", "yes", "no", "unknown", "where it was not")
    assert all(sum(map(int, cells[1:4])) == 8 for cells in table.rows)
    assert row(table, "trials equal?")["unknown"] == "8"


def test_the_health_of_many_workloads_is_one_row_an_arm():
    def told(share):
        health = Health(num_layers=1, layers_without_statistics=(), num_escalations=0, skipped_steps={})
        return replace(made.trainings("Eva", [20])[0], health=health, preconditioned_share=share)

    runs = [told(share) for share in (0.9, 1.0)]
    names = ("narrow", "wide")
    runs = [replace(run, cell=replace(run.cell, workload_name=name)) for run, name in zip(runs, names, strict=True)]
    report = make_report(suite(workloads=dict.fromkeys(names, made.NET)), runs)
    assert row(healths_table(report.workloads), "Eva")["preconditioned"] == "90.0% to 100.0%"
    assert row(healths_table(report.workloads), "Eva")["workloads"] == "2"
