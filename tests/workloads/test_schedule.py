"""Schedules: exact factors, and learning rates that are set from the base of each group."""

import math

import pytest
import torch

from evabench.records.measurement import ConvergenceSettings
from evabench.workloads.schedule import ScheduledRate, schedule_factor, warmup_factor


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", (1.0, 1.0, 1.0, 1.0, 1.0)),
        ("linear", (1.0, 0.75, 0.5, 0.25, 0.0)),
        ("cosine", (1.0, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4, 0.0)),
    ],
)
def test_the_factor_falls_from_1_to_what_the_schedule_has_at_the_end_of_the_budget(schedule, factors):
    assert [schedule_factor(schedule, step, 8) for step in range(0, 9, 2)] == pytest.approx(factors, abs=1e-15)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_schedule_depends_on_the_share_of_the_budget_alone(schedule):
    assert schedule_factor(schedule, 3, 10) == schedule_factor(schedule, 300, 1000)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_last_step_of_a_budget_still_moves(schedule):
    assert 0 < schedule_factor(schedule, 99, 100) < 0.011


@pytest.mark.parametrize(("step", "factor"), [(0, 1.0), (34, 1.0), (35, 0.1), (74, 0.1), (75, 0.01), (99, 0.001)])
def test_a_step_schedule_takes_a_tenth_at_each_milestone(step, factor):
    assert schedule_factor("step", step, 100, (0.35, 0.75, 0.9)) == pytest.approx(factor, rel=1e-15)


def test_a_warm_up_rises_linearly_and_ends_at_1():
    assert [warmup_factor(step, 4) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0], abs=1e-15)


def test_without_a_warm_up_the_first_step_has_the_whole_rate():
    assert warmup_factor(0, 0) == 1.0


LINEAR = ConvergenceSettings(steps=4, evaluate_every=1, schedule="linear")


def two_groups():
    first, second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    return torch.optim.SGD([{"params": [first], "lr": 0.4}, {"params": [second], "lr": 2.0}])


def test_every_group_keeps_its_own_base():
    optimizer = two_groups()
    ScheduledRate(optimizer, LINEAR).set_for(1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.75 * 0.4, 0.75 * 2.0]


def test_a_rate_is_set_from_the_base_and_not_from_the_rate_before():
    optimizer = two_groups()
    rate = ScheduledRate(optimizer, LINEAR)
    for step in (3, 2, 0):
        rate.set_for(step)
    assert [group["lr"] for group in optimizer.param_groups] == [0.4, 2.0]


def test_the_warm_up_multiplies_the_schedule():
    optimizer = two_groups()
    settings = ConvergenceSettings(steps=4, evaluate_every=1, schedule="linear", warmup_steps=3)
    ScheduledRate(optimizer, settings).set_for(1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.75 * 0.5 * 0.4, 0.75 * 0.5 * 2.0]


CONSTANT = ConvergenceSettings(steps=4, evaluate_every=1, schedule="constant")


def test_a_constant_rate_touches_nothing_that_an_optimizer_has_changed():
    optimizer = two_groups()
    rate = ScheduledRate(optimizer, CONSTANT)
    optimizer.param_groups[0]["lr"] = 0.3
    rate.set_for(1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 2.0]
    assert rate.contested_at is None


def test_a_group_whose_rate_is_no_number_is_left_alone():
    optimizer = two_groups()
    optimizer.param_groups[0]["lr"] = None
    del optimizer.param_groups[1]["lr"]
    ScheduledRate(optimizer, LINEAR).set_for(1)
    assert optimizer.param_groups[0]["lr"] is None
    assert "lr" not in optimizer.param_groups[1]


def test_a_rate_that_is_a_tensor_stays_the_same_object():
    optimizer = two_groups()
    held = optimizer.param_groups[0]["lr"] = torch.tensor(0.4)
    rate = ScheduledRate(optimizer, LINEAR)
    for step in (3, 1):
        rate.set_for(step)
    assert optimizer.param_groups[0]["lr"] is held
    assert float(held) == pytest.approx(0.75 * 0.4)


def test_the_first_step_at_which_the_optimizer_had_changed_its_rate_is_kept_and_the_schedule_prevails():
    optimizer = two_groups()
    rate = ScheduledRate(optimizer, LINEAR)
    for step in range(4):
        rate.set_for(step)
        if step >= 1:
            optimizer.param_groups[1]["lr"] = 7.0
    assert rate.contested_at == 2
    rate.set_for(1)
    assert optimizer.param_groups[1]["lr"] == 0.75 * 2.0
