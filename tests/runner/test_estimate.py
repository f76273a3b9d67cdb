"""Estimates: stored runs first, then probes, else unknown; sums of what is known, and what will not fit."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from evabench.records.measurement import ConvergenceSettings, ProbeSettings
from evabench.records.probe import Probe
from evabench.reporting.tables.estimate import duration, estimate_table, estimate_warnings
from evabench.reporting.terminal import rich_table
from evabench.runner.estimate import History, estimate
from evabench.runner.plan import Plan, make_plan
from evabench.runner.probing import Probed, Probing, probe_cells
from tests import runs as made
from tests.reporting.reports import suite

GIB = 2**30
ONE_ARM = suite(arms={"SGD": made.ARMS["SGD"]}, step_time=None)
ARMS_OF_TWO = {name: made.ARMS[name] for name in ("SGD", "K-FAC@10")}
K_FAC = suite(arms={"K-FAC@10": made.ARMS["K-FAC@10"]}, step_time=None, memory=None)
STEPS = Probe(
    set_up_seconds=1.0, step_seconds=(5.0, 0.1, 0.1), held_out_seconds=0.001, rss_high_water_bytes=GIB
)  # the first step refreshes

ONE_OF_TWO = Probing(
    found=(Probed(workload=made.NET, optimizer=made.ARMS["SGD"], counted=None, timed=STEPS),),
    server_seconds=2.0,
    num_left_out=1,
    seconds=20.0,
)


def plan(of=ONE_ARM):
    return make_plan(of, (), made.HOST)


def probing(of, **probes):
    arms = dict(of.arms)
    (arm,) = arms.values()
    probed = Probed(workload=made.NET, optimizer=arm, counted=probes.get("counted"), timed=probes.get("timed"))
    return Probing(found=(probed,), server_seconds=2.0)


def took(run, seconds):
    return replace(run, conditions=replace(made.QUIET, seconds=seconds))


def rows(found):
    return {(row.workload, row.measurement): row for row in found.rows}


def test_a_stored_run_of_older_code_speaks_for_its_like():
    stored = [took(replace(made.memory("SGD", 1.0, 10, name="any"), key="old"), seconds) for seconds in (2.0, 4.0, 3.0)]
    row = rows(estimate(plan(), History(stored), Probing(), GIB))["autoencoder", "memory"]
    assert row.seconds == 3.0
    assert [cost.origin for cost in row.costs] == ["stored runs"]


def test_a_stored_training_is_scaled_to_another_budget():
    stored = took(made.training("SGD", 0, None, budget=36), 0.36 - 0.36 + 10.36)  # its clock: 0.01 s a step
    row = rows(estimate(plan(), History([stored]), Probing(), GIB))["autoencoder", "convergence"]
    assert row.seconds == pytest.approx(3 * (0.72 + 10.0 * 19 / 10))  # twice the steps, 19 evaluations for 10


def test_without_a_stored_run_or_a_probe_the_cost_is_unknown_and_not_zero():
    found = estimate(plan(), History([]), Probing(), GIB)
    assert found.num_unknown == plan().num_runs
    assert {row.process_bytes for row in found.rows} == {None}
    *_, total = estimate_table(found).rows
    assert total[2:4] == ("unknown", "unknown")


def test_a_probe_speaks_for_every_kind_of_measurement_with_its_share_of_refreshes():
    found = rows(estimate(plan(K_FAC), History([]), probing(K_FAC, timed=STEPS), 2 * GIB))
    step = (5.0 + 9 * 0.1) / 10
    samples = 19 * 1000 + 2000  # a validation split at each evaluation, and the test set
    row = found["autoencoder", "convergence"]
    assert row.seconds == pytest.approx(3 * (1.0 + 72 * step + samples * 0.001))
    assert {cost.origin for cost in row.costs} == {"probe"}


def test_what_will_not_fit_is_told_by_name():
    large = Probe(peak_bytes=3 * GIB, rss_high_water_bytes=GIB)
    found = estimate(plan(K_FAC), History([]), probing(K_FAC, counted=large), 2 * GIB)
    assert found.too_large == ("autoencoder, K-FAC@10",)
    (warning,) = estimate_warnings(found)
    assert "will not fit into the 2.00 GiB that are free: autoencoder, K-FAC@10." in warning
    assert not list(estimate_warnings(estimate(plan(K_FAC), History([]), probing(K_FAC, counted=large), 5 * GIB)))


def test_every_sweep_has_a_launch_server_and_what_is_untimed_shares_one():
    timed = make_plan(suite(memory=None), (), made.HOST)
    assert estimate(timed, History([]), probing(ONE_ARM, timed=STEPS), GIB).server_seconds == 2.0 * (8 + 1)


def test_a_plan_without_runs_takes_nothing():
    empty = Plan(sessions=(), repeatable=(), stored=(), older_code=0)
    assert estimate(empty, History([]), Probing(), GIB).seconds == 0


def test_a_table_says_that_it_is_an_estimate_and_from_what():
    table = estimate_table(estimate(plan(K_FAC), History([]), probing(K_FAC, timed=STEPS), GIB))
    assert table.title.startswith("Estimate")
    assert table.rows[1][-1] == "probe"


def test_a_workload_is_a_line_above_its_kinds_of_measurement_so_that_long_names_break_nothing_at_80_columns():
    long = suite(workloads={"resnet20-cifar100-stand-in-ab": made.NET}, arms=ARMS_OF_TWO, memory=None)
    console = Console(width=80, file=StringIO())
    console.print(rich_table(estimate_table(estimate(plan(long), History([]), ONE_OF_TWO, GIB))))
    lines = console.file.getvalue().splitlines()
    assert "resnet20-cifar100-stand-in-ab" in {line.strip() for line in lines}
    names = [line.split("  ")[0] or line.split("  ")[1] for line in lines[1:]]
    assert names[1:] == ["convergence", "warm up", "step time", "start of 9 launch servers", "in all"]


def test_unknown_runs_are_counted_in_a_cell_and_explained_once():
    found = estimate(plan(suite(arms=ARMS_OF_TWO, step_time=None, memory=None)), History([]), ONE_OF_TWO, GIB)
    table = estimate_table(found)
    assert table.rows[1][:2] == ("  convergence", "3 of 6")
    assert "unknown" not in "".join(table.rows[1])
    (warning,) = estimate_warnings(found)
    assert "over before 1 combination of a workload and an arm: their runs are unknown." in warning
    assert "--probe-seconds 40" in warning  # one of two took 20 s


def test_without_any_probe_the_way_out_names_the_option_alone():
    unprobed = Probing(num_left_out=2)
    (warning,) = estimate_warnings(estimate(plan(K_FAC), History([]), unprobed, GIB))
    assert warning.endswith("More of it: --probe-seconds S.")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.3, "about 0.3 s"),
        (42, "about 42 s"),
        (600, "about 10 min"),
        (7200, "about 2.0 h"),
        (864000, "about 10.0 days"),
    ],
)
def test_durations_have_the_detail_of_an_estimate(seconds, words):
    assert duration(seconds) == words


def test_without_time_no_probe_is_started_and_that_is_counted():
    cells = [made.cell("SGD"), made.cell("SGD", ConvergenceSettings(steps=4, evaluate_every=2)), made.cell("Eva")]
    assert probe_cells(cells, max_seconds=0, free_bytes=GIB) == Probing(num_left_out=2)


def test_a_cell_that_will_not_fit_is_counted_and_not_run():
    (found,) = probe_cells([made.cell("SGD", net=made.SMALL)], max_seconds=60, free_bytes=0).found
    assert found.counted.peak_bytes > 0
    assert found.timed is None


def test_an_arm_whose_probe_failed_is_named_with_the_reason():
    failed = Probed(
        workload=made.NET,
        optimizer=made.ARMS["K-FAC@10"],
        counted=None,
        timed=None,
        failure="crashed: the moon is full",
    )
    (warning,) = estimate_warnings(estimate(plan(K_FAC), History([]), Probing(found=(failed,)), GIB))
    assert warning == (
        "Nobody can say how long these take: autoencoder, K-FAC@10. Their probe: crashed: the moon is full."
    )


def test_a_probe_is_no_measurement_of_a_suite():
    kinds = {run.cell.measurement.measurement for run in make_plan(suite(), (), made.HOST).left}
    assert ProbeSettings().measurement not in kinds
