"""Visits of equal arms: real ones, of a small net."""

import math

import pytest

from evabench.errors import WorkerError
from evabench.runner.same_arm import CELL, SameArmPair, noise_of_pairs, time_pairs
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import SMALL, cell
from tests.worker.test_server import PLUGINS

SMALL_CELL = cell("SGD", CELL.measurement, net=SMALL)


def pair(log_ratio, swapped):
    return SameArmPair(
        first_arm_seconds=0.01, second_arm_seconds=0.01 * math.exp(log_ratio), second_arm_came_first=swapped
    )


@pytest.mark.long
def test_the_order_of_the_visits_alternates_and_every_pair_is_told():
    told = []
    pairs = time_pairs(2, cell=SMALL_CELL, done=lambda: told.append(1))
    assert [one.second_arm_came_first for one in pairs] == [False, True]
    assert len(told) == 3  # the pilot too
    assert all(one.first_arm_seconds > 0 and one.second_arm_seconds > 0 for one in pairs)


def test_no_pairs_start_no_process():
    assert time_pairs(0) == []


def test_a_visit_that_fails_is_an_error_with_its_reason():
    broken = cell("SGD", CELL.measurement, net=SMALL, optimizer=PluginSettings(name=f"{PLUGINS}:Raises"))
    with pytest.raises(WorkerError, match="the moon is full"):
        time_pairs(1, cell=broken)


def test_a_pairs_difference_is_that_of_the_arms_whichever_came_first():
    assert pair(0.02, swapped=True).log_ratio == pytest.approx(pair(0.02, swapped=False).log_ratio, rel=1e-12)


def test_what_the_second_visit_costs_more_is_no_noise_of_the_pairs():
    warm = [pair(0.1 * (-1 if swapped else 1), swapped) for swapped in (False, True) for _ in range(3)]
    assert noise_of_pairs(warm).pair_sd == pytest.approx(0.0, abs=1e-12)


def test_five_pairs_say_nothing():
    assert noise_of_pairs([pair(0.01, swapped) for swapped in (False, True, False, True, False)]) is None
