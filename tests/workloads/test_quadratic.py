"""The quadratic: its Hessian, its optimum and its excess loss are what its settings say, exactly."""

import pytest
import torch
from torch.testing import assert_close

from evabench.settings.quadratics import QuadraticSettings
from evabench.workloads.build import build_workload

each_mean = pytest.mark.parametrize("mean", ["spike", "none"])


def build(mean="spike", condition=100.0, seed=0):
    settings = QuadraticSettings(condition=condition, mean=mean, inputs=5, outputs=3, samples=20)
    workload = build_workload(settings, seed)
    return settings, workload, next(workload.batches())


def loss_at(workload, pair, weight):
    return workload.objective.loss(pair.inputs @ weight.T, pair.targets)


@each_mean
def test_the_hessian_has_the_eigenvalues_that_the_condition_names(mean):
    settings, workload, pair = build(mean)
    hessian = torch.autograd.functional.hessian(
        lambda flat: loss_at(workload, pair, flat.view(3, 5)), torch.zeros(15, dtype=torch.float64)
    )
    small = settings.condition**-0.5
    expected = sorted([1.0] + [small] * (4 + 2) + [small**2] * 8)
    assert_close(torch.linalg.eigvalsh(hessian), torch.tensor(expected, dtype=torch.float64))
    assert settings.unit_lr == pytest.approx(2 / (expected[0] + expected[-1]))


@each_mean
def test_the_excess_is_the_loss_above_that_of_the_optimum_where_the_gradient_is_zero(mean):
    _, workload, pair = build(mean)
    optimum = workload.objective.optimum.clone().requires_grad_()
    least = loss_at(workload, pair, optimum)
    (gradient,) = torch.autograd.grad(least, optimum)
    assert_close(gradient, torch.zeros_like(gradient))
    assert float(least.detach()) == pytest.approx(3 / 2)  # of the noise: half the number of outputs
    weight = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert_close(workload.objective.excess(weight), loss_at(workload, pair, weight) - least.detach())
    assert float(workload.objective.excess(optimum)) == 0.0


def test_the_mean_is_the_large_direction_or_nothing():
    _, workload, pair = build("spike")
    mean = pair.inputs.mean(0)
    assert float(mean @ mean) == pytest.approx(1)
    assert_close(workload.objective.second_moment @ mean, mean)
    assert_close(build("none")[2].inputs.mean(0), torch.zeros(5, dtype=torch.float64))


def test_at_the_optimum_kfacs_output_factor_is_the_weighting():
    _, workload, pair = build()
    gradients = (pair.inputs @ workload.objective.optimum.T - pair.targets) @ workload.objective.weighting
    assert_close(gradients.T @ gradients / 20, workload.objective.weighting)


def test_a_seed_draws_the_problem_and_every_batch_is_the_whole_set():
    first, again, other = (build(seed=seed)[2] for seed in (0, 0, 1))
    assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first.inputs, other.inputs)
    _, workload, _ = build()
    stream = workload.batches()
    assert next(stream) is next(stream)
    assert workload.validation().loss == workload.test().loss


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="samples must be >= inputs \\+ outputs \\+ 1 = 25, got 24"):
        QuadraticSettings(samples=24)
    with pytest.raises(ValueError, match="has no widths"):
        QuadraticSettings().scaled(2.0)
