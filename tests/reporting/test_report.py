"""What a report says, before it is rendered."""

import pytest

from evabench.reporting.report import make_report
from tests import runs as made
from tests.reporting.reports import report, runs, suite


@pytest.fixture(scope="module")
def workload():
    (only,) = report().workloads
    return only


def arm(workload, name):
    return next(arm for arm in workload.arms if arm.name == name)


def test_arms_stand_in_the_order_of_the_suite(workload):
    assert [arm.name for arm in workload.arms] == list(made.ARMS)


def test_the_reference_has_no_ratio_and_every_other_arm_has_one_over_all_sweeps_but_the_pilot(workload):
    assert arm(workload, "SGD").step_over_reference is None
    ratio = arm(workload, "K-FAC@10").step_over_reference
    assert ratio.estimate == pytest.approx(3.0)
    assert ratio.num_pairs == 7


def test_the_step_time_is_that_of_the_visits_without_the_pilot(workload):
    eva = arm(workload, "Eva")
    assert eva.amortised_seconds == pytest.approx(0.011, rel=0.011)
    assert eva.p99_seconds == pytest.approx(1.01 * 0.011)
    assert eva.num_steps == 7 * 30


def test_a_target_is_reached_in_steps_and_in_steps_times_step_time(workload):
    eva = arm(workload, "Eva")
    assert eva.steps_to_target == (20, 20, 20)
    assert eva.seconds_to_target == tuple([pytest.approx(20 * eva.amortised_seconds)] * 3)


def test_a_miss_is_none_and_never_a_number(workload):
    assert arm(workload, "Shampoo").steps_to_target == (None, None, None)
    assert arm(workload, "Shampoo").seconds_to_target == (None, None, None)


def test_memory_is_that_of_the_workload_itself_and_not_of_another_width(workload):
    assert arm(workload, "Eva").memory.curvature_state_bytes == made.vectors(made.NET)


def test_without_sgd_nothing_is_called_the_reference():
    arms = {name: settings for name, settings in made.ARMS.items() if name != "SGD"}
    (workload,) = make_report(suite(arms=arms), [run for run in runs() if run.cell.arm != "SGD"]).workloads
    assert workload.reference is None
    assert all(arm.step_over_reference is None for arm in workload.arms)


def test_what_was_not_measured_is_absent():
    (workload,) = make_report(suite(), made.trainings("Eva", [20])).workloads
    (eva,) = workload.arms
    assert eva.amortised_seconds is None
    assert eva.plain_seconds is None
    assert eva.p99_seconds is None
    assert eva.memory is None
    assert eva.seconds_to_target == ()


def test_a_run_that_did_not_complete_is_listed():
    crashed = made.failed(runs()[0], "crashed")
    assert make_report(suite(), [*runs()[1:], crashed]).unfinished == (crashed,)
