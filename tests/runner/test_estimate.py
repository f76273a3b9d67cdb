"""Estimates: stored runs first, then probes, else unknown; sums of what is known, and what will not fit."""

from dataclasses import replace

import pytest

from evabench.records.probe import Probe
from evabench.reporting.estimate_tables import duration, estimate_table, estimate_warnings
from evabench.runner.estimate import History, estimate
from evabench.runner.plan import Plan, make_plan
from evabench.runner.probing import Probed, Probing, probe_cells
from evabench.settings.measurement import ConvergenceSettings, ProbeSettings
from tests import runs as made
from tests.reporting.reports import suite

GIB = 2**30
ONE_ARM = suite(arms={"SGD": made.ARMS["SGD"]}, step_time=None)
K_FAC = suite(arms={"K-FAC@10": made.ARMS["K-FAC@10"]}, step_time=None, memory=None)
STEPS = Probe(
    set_up_seconds=1.0, step_seconds=(5.0, 0.1, 0.1), held_out_seconds=0.001, rss_high_water_bytes=GIB
)  # the first step refreshes


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
    assert total[3:5] == ("unknown", "unknown")


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
    empty = Plan(untimed=(), sweeps=(), repeatable=(), stored=(), older_code=0)
    assert estimate(empty, History([]), Probing(), GIB).seconds == 0


def test_a_table_says_that_it_is_an_estimate_and_from_what():
    table = estimate_table(estimate(plan(K_FAC), History([]), probing(K_FAC, timed=STEPS), GIB))
    assert table.title.startswith("Estimate")
    assert table.rows[0][-1] == "probe"


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


def test_a_probe_is_no_measurement_of_a_suite():
    kinds = {run.cell.measurement.measurement for run in make_plan(suite(), (), made.HOST).left}
    assert ProbeSettings().measurement not in kinds
