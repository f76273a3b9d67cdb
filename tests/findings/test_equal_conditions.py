"""Checks of equal conditions: their thresholds, on runs that are made up."""

from dataclasses import replace

import pytest

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Verdict
from evabench.findings.arms import measured_arms
from evabench.findings.effort import Effort, lightest, over_expected
from evabench.findings.findings import make_findings
from evabench.findings.goals import Goal
from evabench.measurement.watch.effort import effort_of
from evabench.records.checks import JudgedAgain, TrainingChecks, VisitChecks, WatchedBatch
from evabench.records.convergence import Evaluation
from evabench.settings.claims import Claim
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import TARGET, TARGETS, trainings, visits

MIB = 2**20
MINE = PluginSettings(name="own.py:Mine")
SOONER = Claim(
    id="T",
    text="Mine is sooner than SGD.",
    quantity="time_to_target_ratio",
    arm="Mine",
    bases=("SGD",),
    relation="at_least",
    value=1.0,
    reason="a test",
    local=True,
)


def starting_at(loss, runs):
    first = Evaluation(step=0, seconds=0.0, validation_loss=loss)
    return [
        replace(run, measured=replace(run.measured, evaluations=(first, *run.measured.evaluations))) for run in runs
    ]


def runs_of(mine, loss=0.9):
    sgd = starting_at(0.9, trainings("SGD", [40] * 8))
    own = starting_at(loss, trainings("Mine", mine, optimizer=MINE))
    return [*visits("SGD", 0.01), *visits("Mine", 0.01, optimizer=MINE), *sgd, *own]


def verdict(claim, runs):
    return judge_claims([claim], make_findings(runs, TARGETS))[0]


@pytest.mark.parametrize("relation", ["at_least", "at_most"])
def test_an_arm_that_started_elsewhere_is_not_tested_in_either_direction(relation):
    claim = replace(SOONER, relation=relation)
    assert verdict(claim, runs_of([20] * 8)).here is not Verdict.NOT_TESTED
    judgement = verdict(claim, runs_of([20] * 8, loss=0.89))
    assert (judgement.here, judgement.as_stated) == (Verdict.NOT_TESTED, Verdict.NOT_TESTED)
    assert "Mine on autoencoder has a validation loss before step 1 of 0.89 where the other arms" in judgement.reason


def test_a_sum_in_another_order_is_no_other_start():
    assert not any(arm.unequal for arm in measured_arms(runs_of([20] * 8, loss=0.9 * (1 + 9e-7))))


def test_of_two_arms_that_differ_the_built_in_one_is_not_accused():
    accused = [arm.name for arm in measured_arms(runs_of([20] * 8, loss=0.8)) if arm.unequal]
    assert accused == ["Mine"]


@pytest.mark.parametrize(("first_step", "seconds"), [(0.19, 0.2), (1.01, 1.2)])
def test_a_first_step_above_20_steps_is_counted_into_the_time_to_the_target(first_step, seconds):
    runs = [*visits("SGD", 0.01)]
    runs += [
        replace(run, measured=replace(run.measured, first_step_seconds=first_step)) for run in trainings("SGD", [20])
    ]
    (arm,) = measured_arms(runs)
    assert arm.seconds_to(Goal(TARGET))[1] == pytest.approx(seconds, rel=0.02)


def effort(timed, trained):
    return Effort(
        num_observed=8,
        timed_seconds=timed,
        least_timed_seconds=timed,
        lightest_step_seconds=timed,
        trained_seconds=trained,
        usual_seconds=trained,
        rare_share=0.0,
        num_rare=0,
        num_steps=100,
        slowest_seconds=0.0,
    )


def test_a_busy_machine_that_adds_to_a_timed_step_accuses_nobody():
    disturbed = replace(effort(4e-3, 3e-3), least_timed_seconds=3.1e-3)  # one of its visits was less so
    assert over_expected(lightest(disturbed, of_steps=False), 3e-3, [effort(1e-3, 1e-3)], most=False) > 1 / 1.25
    heavy = effort(4e-3, 3e-3)  # in every visit
    assert over_expected(lightest(heavy, of_steps=False), 3e-3, [effort(1e-3, 1e-3)], most=False) < 1 / 1.25


def test_what_training_costs_every_arm_alike_accuses_nobody():
    small = effort(0.5e-3, 0.6e-3)  # a tenth of a millisecond more for fresh batches
    for own in (effort(10e-3, 10.1e-3), effort(10e-3, 12e-3)):  # the same sum, the same factor
        assert over_expected(own, own.trained_seconds, [small], most=True) <= 1.0 + 1e-9
        assert over_expected(own, own.trained_seconds, [small], most=False) >= 1.0 - 1e-9


def test_a_step_is_compared_with_others_at_its_place_in_the_cycle():
    found = effort_of([0.9, 0.1, 0.1, 0.5, 0.1, 0.1, 0.5, 0.4, 0.1], cycle_steps=3)
    assert found.position_cpu_seconds == (0.5, 0.1, 0.1)
    assert [(slow.step, slow.cpu_seconds) for slow in found.slowest] == [(7, 0.4)]
    assert found.first_cpu_seconds == 0.9


CHECKS = TrainingChecks(
    made_changed=(),
    order_digest="",
    batches=(),
    evaluations_changed=(),
    data_changed=(),
    effort=effort_of([0.01] * 72, cycle_steps=1),
    evaluation_cpu_seconds=0.1,
    num_evaluations=19,
    processes=None,
    state_bytes=0,
    anonymous_bytes=None,
)


def batch(loss=1.0, untouched_loss=1.0, num_layer_calls=6):
    return WatchedBatch(
        step=3,
        digest="",
        num_passes=1,
        fed_otherwise=False,
        loss=loss,
        untouched_loss=untouched_loss,
        num_layer_calls=num_layer_calls,
        untouched_layer_calls=6,
    )


@pytest.mark.parametrize(
    ("seen", "failed"),
    [
        ({"batches": (batch(1.0009, 1.0),)}, []),  # half precision, another order of products
        ({"batches": (batch(1.0011, 1.0),)}, ["loss of a step"]),
        ({"batches": (batch(-1.0011, -1.0),)}, ["loss of a step"]),
        ({"batches": (batch(None, 1.0), batch(1.0, None))}, []),  # it diverged; a net that cannot be made once more
        ({"judged_again": (JudgedAgain(step=40, loss=0.5, untouched_loss=0.5004),)}, []),
        ({"judged_again": (JudgedAgain(step=40, loss=0.5, untouched_loss=0.5006),)}, ["judged net"]),
        ({"batches": (batch(num_layer_calls=9),)}, []),
        ({"batches": (batch(num_layer_calls=12),)}, ["passes"]),
        ({"batches": (batch(),), "layer_calls_when_made": 6}, []),  # one pass, to find out shapes
        ({"batches": (batch(),), "layer_calls_when_made": 7}, ["making"]),
        ({"switches_changed": ("torch.get_num_threads from 1 to 2",)}, ["switches"]),
    ],
)
def test_what_a_run_says_of_itself_fails_it_beyond_a_threshold(seen, failed):
    (run,) = trainings("Mine", [40], optimizer=MINE)
    run = replace(run, measured=replace(run.measured, checks=replace(CHECKS, **seen)))
    (arm,) = measured_arms([run])
    assert [check.name for check in arm.unequal] == failed


def holding(arm, **checks):
    """Return a training on a device that held so much at its end."""
    (run,) = trainings(arm, [40], optimizer=MINE if arm == "Mine" else SgdSettings(lr=0.1))
    run = replace(run, cell=replace(run.cell, device="cuda"))
    return replace(run, measured=replace(run.measured, checks=replace(CHECKS, **checks)))


@pytest.mark.parametrize(
    ("step_seconds", "failed"),
    [
        ((0.01,) * 20, []),
        ((0.01,) * 10 + (0.07,) * 10, []),  # others had the machine in its only visit: four times as much in the mean
        ((0.04,) * 20, ["timed steps"]),
        ((0.05, 0.035) * 10, ["timed steps"]),
    ],
)
def test_of_a_single_visit_the_fastest_step_tells_whether_timed_steps_are_the_heavier_ones(step_seconds, failed):
    (trained,) = trainings("Mine", [40], optimizer=MINE)
    (_, visit) = visits("Mine", 0.01, num=1, optimizer=MINE)
    checks = VisitChecks(cpu_seconds=sum(step_seconds), processes=None)
    timed = replace(
        visit.measured, step_seconds=step_seconds, block_seconds=(sum(step_seconds),), cycle_steps=1, checks=checks
    )
    runs = [replace(trained, measured=replace(trained.measured, checks=CHECKS)), replace(visit, measured=timed)]
    (arm,) = measured_arms(runs)
    assert [check.name for check in arm.unequal] == failed


@pytest.mark.parametrize(
    ("held", "failed"),
    [
        ({"anonymous_bytes": 1000 * MIB, "device_bytes": 60 * MIB}, []),  # libraries of the device, and their workspace
        ({"anonymous_bytes": 1200 * MIB, "device_bytes": 60 * MIB}, ["hidden memory"]),
        ({"anonymous_bytes": 700 * MIB, "device_bytes": 180 * MIB}, ["hidden memory"]),
        ({"anonymous_bytes": 700 * MIB, "device_bytes": 180 * MIB, "state_bytes": 100 * MIB}, []),
    ],
)
def test_beside_a_device_its_libraries_are_no_hidden_memory_and_tensors_on_it_are(held, failed):
    usual = holding("SGD", anonymous_bytes=650 * MIB, device_bytes=10 * MIB)
    arms = {arm.name: arm for arm in measured_arms([usual, holding("Mine", **held)])}
    assert [check.name for check in arms["Mine"].unequal] == failed
