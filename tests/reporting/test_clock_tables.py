"""The clock of training in words: marked where a run was not alone, said where it disagrees with the timed steps."""

from evabench.reporting.sections import warnings
from evabench.reporting.tables.clock import clock_table, clock_warnings
from evabench.reporting.tables.origin import conditions_table
from tests import runs as made
from tests.findings.test_clocks import accounted, beside, slower
from tests.reporting.reports import make_report, suite


def rows(report):
    table = clock_table(report.workloads[0])
    return {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}


def timed():
    return [*made.visits("SGD", 0.010), *made.visits("Eva", 0.010)]


def test_a_training_clock_that_nothing_explains_puts_the_times_to_the_target_in_doubt():
    runs = [*timed(), *made.trainings("SGD", [40]), slower(made.training("Eva", 1, 20), 7.7)]
    report = make_report(suite(), runs)
    (told,) = clock_warnings(report)
    assert "differ by more than 10% on autoencoder in 2 epochs: Eva 7.68x (77.0 ms against 10.0 ms)." in told
    assert told.endswith("Nothing that was read explains it: times to a target are in doubt.")
    assert told in warnings(report)
    assert rows(report)["Eva"]["its step / timed"] == "7.68x"
    assert rows(report)["SGD"]["its step / timed"] == "1.00x"


def test_a_clock_of_runs_made_at_once_is_marked_and_its_disagreement_is_said():
    shared = beside([slower(run, 2) for run in made.trainings("Eva", [20] * 2)], jobs=2)
    report = make_report(suite(), [*timed(), *made.trainings("SGD", [40] * 2), *shared])
    assert rows(report)["SGD"]["training clock"] == "720 ms"
    assert rows(report)["Eva"]["training clock"] == "1.44 s (made 2 at once)"
    (told,) = clock_warnings(report)
    assert told.endswith("Some of these training runs were made 2 at once.")


def test_a_disturbed_clock_is_left_out_beside_a_clean_one_and_the_table_says_how_many_count():
    clean, other = made.trainings("Eva", [20, 20])
    disturbed = beside([slower(other, 20)], foreign_cpu_share=0.5)
    found = rows(make_report(suite(), [*made.trainings("SGD", [40] * 2), clean, *disturbed]))
    assert (found["Eva"]["training clock"], found["Eva"]["clean runs"]) == ("720 ms", "1 of 2")
    assert found["SGD"]["clean runs"] == "2 of 2"


def test_a_clock_of_disturbed_runs_alone_is_marked():
    disturbed = beside(made.trainings("Eva", [20]), steal_share=0.5)
    assert rows(make_report(suite(), disturbed))["Eva"]["training clock"] == "720 ms (disturbed)"


def test_a_child_that_counts_more_seconds_than_its_parent_saw_is_said():
    (run,) = beside([made.training("Eva", 1, 20)], seconds=0.5)
    (told,) = clock_warnings(make_report(suite(), [run]))
    assert "The clock of 1 run is more than 10% ahead of the parent's" in told


def test_a_child_that_accounts_for_less_than_its_parent_saw_is_said():
    (run,) = made.trainings("Eva", [20])
    (told,) = clock_warnings(make_report(suite(), [accounted(run, setup=1.0, evaluations=2.28, wall=8.0)]))
    assert "Set-up, training and evaluations of 1 run come to over 10% less than the parent saw" in told
    assert "seed 1: 4.00 s of 8.00 s)" in told


def test_conditions_count_the_disturbed_training_runs():
    (run, other) = made.trainings("Eva", [20, 20])
    (row,) = conditions_table(make_report(suite(), [run, *beside([other], steal_share=0.5)])).rows
    assert (row[0], row[-1]) == ("convergence", "1")
