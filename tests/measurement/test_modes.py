"""Optimizers with two points: one is trained at, the other one judged."""

import pytest
import torch

from evabench.measurement.bench import Bench
from evabench.measurement.convergence import measure_convergence
from evabench.measurement.memory.memory import measure_memory
from evabench.measurement.modes import evaluating
from evabench.measurement.rate import measure_rate
from evabench.measurement.step import training_step
from evabench.records.measurement import ConvergenceSettings, MemorySettings, RateSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.workloads.build import build_workload
from tests.runs import cell

CPU = torch.device("cpu")
NET = QuadraticSettings(condition=4.0, inputs=3, outputs=2, samples=8)
SETTINGS = ConvergenceSettings(steps=6, evaluate_every=3, schedule="constant")


class ScheduleFree(torch.optim.Optimizer):
    """SGD without a schedule: trains at y = (1 - beta) z + beta x, and is judged at x, the average of z."""

    def __init__(self, params, lr=0.3, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta})
        self.num_steps, self.training = 0, False

    def train(self):
        self._move("y", to_training=True)

    def eval(self):
        self._move("x", to_training=False)

    @torch.no_grad()
    def step(self, closure=None):
        assert self.training, "call train() before"
        self.num_steps += 1
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                z, x = state.setdefault("z", p.clone()), state.setdefault("x", p.clone())
                z -= group["lr"] * p.grad
                x += (z - x) / self.num_steps
                p.copy_((1 - group["beta"]) * z + group["beta"] * x)
                state["y"] = p.clone()

    @torch.no_grad()
    def _move(self, point, to_training):
        if self.training is not to_training:
            for p, state in self.state.items():
                p.copy_(state[point])
        self.training = to_training


def build(made, seed, device):
    workload = build_workload(made.workload, seed)
    return workload, ScheduleFree(workload.model.parameters())


def bench(measurement=SETTINGS):
    return Bench(cell=cell("SGD", measurement, net=NET), seed=0, warmup_steps=0, build=build)


def loss_by_hand(at_its_point):
    workload, optimizer = build(cell("SGD", SETTINGS, net=NET), 0, CPU)
    optimizer.train()
    batches = workload.batches()
    for _ in range(SETTINGS.steps):
        training_step(workload, optimizer, next(batches))
    if at_its_point:
        optimizer.eval()
    return workload.validation().loss


def test_a_schedule_free_optimizer_is_judged_at_its_point_and_trained_at_the_other():
    curve = measure_convergence(bench(), SETTINGS)
    assert curve.evaluations[-1].validation_loss == loss_by_hand(at_its_point=True)
    assert curve.evaluations[-1].validation_loss != loss_by_hand(at_its_point=False)
    assert curve.test_loss == curve.evaluations[-1].validation_loss


def test_a_trial_of_a_rate_is_judged_at_the_point_too():
    settings = RateSettings(multiples=(0.1,), steps=8)
    (trial,) = measure_rate(bench(settings), settings).trials
    assert all(later < earlier for earlier, later in zip(trial.excess, trial.excess[1:], strict=False))


def test_memory_is_measured_in_the_mode_that_makes_steps():
    assert measure_memory(bench(MemorySettings()), MemorySettings()).state_bytes > 0


def test_training_goes_on_at_its_own_point_whatever_the_evaluation_does():
    workload, optimizer = build(cell("SGD", SETTINGS, net=NET), 0, CPU)
    optimizer.train()
    training_step(workload, optimizer, next(workload.batches()))
    before = [p.clone() for p in workload.model.parameters()]
    with pytest.raises(KeyboardInterrupt), evaluating(optimizer):
        raise KeyboardInterrupt
    assert optimizer.training
    assert all(torch.equal(p, old) for p, old in zip(workload.model.parameters(), before, strict=True))
