"""Trials of learning rates: gradient descent goes as the theory says, and what diverges ends."""

import math

import pytest

from evabench.measurement.rate import NUM_POINTS
from evabench.records.measurement import RateSettings
from evabench.records.request import Request
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.kronecker import KfacSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.worker.measure import measure
from tests.runs import cell

NET = QuadraticSettings(condition=10.0, inputs=4, outputs=3, samples=12)


def finding(optimizer, multiples=(1.0,), steps=200):
    settings = RateSettings(multiples=multiples, steps=steps)
    made = cell("SGD", settings, optimizer=optimizer, net=NET)
    return measure(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60))


def trials(optimizer, **settings):
    return finding(optimizer, **settings).measured.trials


def test_an_optimizer_that_only_stood_by_is_not_asked_for_its_health():
    found = finding(EvaSettings(), steps=8)
    assert (found.health, found.preconditioned_share) == (None, None)


def test_gradient_descent_at_its_best_rate_contracts_as_the_theory_says():
    (trial,) = trials(SgdSettings(lr=9.0, momentum=0.0))
    begin, end = len(trial.steps) // 2, -1
    per_step = (math.log(trial.excess[end]) - math.log(trial.excess[begin])) / (trial.steps[end] - trial.steps[begin])
    assert math.exp(per_step / 2) == pytest.approx(9 / 11, rel=1e-6)


def test_a_trial_ends_at_the_bottom_and_keeps_points_from_its_start_to_its_end():
    (trial,) = trials(SgdSettings(lr=1.0, momentum=0.0), steps=5000)
    assert trial.steps[-1] < 200
    assert trial.excess[0] == 1.0
    assert 1e-21 < trial.excess[-1] <= 1e-20
    assert len(trial.steps) == NUM_POINTS + 1


def test_a_trial_that_diverges_ends_there_and_the_next_starts_anew():
    wild, calm = trials(SgdSettings(lr=1.0, momentum=0.0), multiples=(0.5, 40.0))[::-1]
    assert wild.excess[-1] > 1e12
    assert wild.steps[-1] < 20
    assert calm.excess[0] == 1.0
    assert calm.excess[-1] < 1e-10


def test_kfac_is_faster_than_gradient_descent_where_its_factors_are_the_hessians():
    kfac = KfacSettings(momentum=0.0, clip="none", damping=1e-4)
    (first, *_) = trials(kfac, multiples=(0.5,))
    (descent,) = trials(SgdSettings(lr=1.0, momentum=0.0))
    assert first.steps[-1] < descent.steps[-1] / 2


def test_eva_ends_up_as_gradient_descent_since_the_mean_output_gradient_goes_to_zero():
    eva = EvaSettings(momentum=0.0, clip="none", damping=0.03, output_gradient="per_example")
    (trial,) = trials(eva, multiples=(0.03,), steps=400)
    last = [(step, math.log(share)) for step, share in zip(trial.steps, trial.excess, strict=True)][-4:]
    slope = (last[-1][1] - last[0][1]) / (last[-1][0] - last[0][0])
    assert math.exp(slope / 2) == pytest.approx(9 / 11, rel=0.02)
