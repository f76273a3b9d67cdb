"""Timed steps train: at the arm's own rate, from one moment, and at a tenth of the rate where they diverge."""

import gc

import pytest
import torch

from evabench.errors import DivergedError
from evabench.measurement.bench import Bench
from evabench.measurement.convergence import measure_convergence
from evabench.measurement.memory.memory import measure_memory
from evabench.measurement.step import scale_rate
from evabench.measurement.timing.kinds import measure_phases, measure_step_time, measure_warm_up
from evabench.records.measurement import (
    ConvergenceSettings,
    MemorySettings,
    PhasesSettings,
    StepTimeSettings,
    WarmUpSettings,
)
from evabench.worker.build import build_workload
from tests.runs import SMALL, cell

KINDS = {
    "pilot": (measure_warm_up, WarmUpSettings(max_seconds=0.01)),
    "visit": (measure_step_time, StepTimeSettings(min_steps=4)),
    "phases": (measure_phases, PhasesSettings(min_steps=4, min_warmup_steps=2)),
    "memory": (measure_memory, MemorySettings()),
}
NOT_TIMED = [kind for kind in KINDS if kind != "visit"]


class Watching(torch.optim.SGD):
    """Writes down what it can see in a step."""

    seen: list

    def step(self, closure=None):
        group = self.param_groups[0]
        self.seen.append(
            (float(group["lr"]), float(group["params"][-1].detach().sum()), gc.isenabled(), gc.get_freeze_count() > 0)
        )
        return super().step(closure)


class Diverges(Watching):
    """Trains only at a rate of a hundredth of its own, and raises as a solver does where numbers are not finite."""

    raises = False

    def step(self, closure=None):
        super().step(closure)
        group = self.param_groups[0]
        if float(group["lr"]) > 0.02:
            with torch.no_grad():
                group["params"][0].fill_(float("nan"))
        if self.raises and group["params"][0].grad.isnan().any():
            raise torch.linalg.LinAlgError("the input has to be finite")


class NoRate(torch.optim.Optimizer):
    """Knows its own rate, and it is none."""

    def __init__(self, params, lr):
        super().__init__(params, {})

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.fill_(float("inf"))


def bench_of(kind, settings, *, lr=1.0, **options):
    seen = []

    def build(made, seed, device):
        workload = build_workload(made.workload, seed)
        optimizer = kind(workload.model.parameters(), lr=lr)
        optimizer.seen = seen
        for name, value in options.items():
            setattr(optimizer, name, value)
        return workload, optimizer

    return Bench(cell=cell("SGD", settings, net=SMALL), seed=1, warmup_steps=2, build=build), seen


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_measured_at_the_arms_own_rate(kind):
    measure, settings = KINDS[kind]
    bench, seen = bench_of(Watching, settings, lr=0.3)
    assert measure(bench, settings).rate_share == 1.0
    assert {rate for rate, *_ in seen} == {0.3}


def test_a_block_starts_from_the_moment_behind_the_warm_up_and_one_cycle():
    measure, settings = KINDS["visit"]
    bench, seen = bench_of(Watching, settings)
    measure(bench, settings)
    weights = [weight for _, weight, *_ in seen]
    assert len(weights) == 2 + 1 + 4  # warm-up, a cycle of one step, the block
    assert len(set(weights)) == len(weights)  # every step has trained


def test_the_garbage_collector_looks_the_same_where_steps_are_timed_and_where_they_train():
    measure, settings = KINDS["visit"]
    bench, timed = bench_of(Watching, settings)
    measure(bench, settings)
    settings = ConvergenceSettings(steps=4, evaluate_every=2)
    bench, trained = bench_of(Watching, settings)
    measure_convergence(bench, settings)
    assert {step[2:] for step in timed} == {step[2:] for step in trained} == {(True, True)}


@pytest.mark.parametrize(
    "raises", [pytest.param(False, id="silently", marks=pytest.mark.long), pytest.param(True, id="with an error")]
)
@pytest.mark.parametrize("kind", ["visit", *(pytest.param(kind, marks=pytest.mark.long) for kind in NOT_TIMED)])
def test_what_diverges_is_measured_again_at_a_tenth_of_the_rate_and_says_so(kind, raises):
    measure, settings = KINDS[kind]
    bench, seen = bench_of(Diverges, settings, raises=raises)
    assert measure(bench, settings).rate_share == pytest.approx(0.01)
    assert seen[-1][0] == pytest.approx(0.01)


def test_a_rate_that_is_a_tensor_is_lowered_in_its_place():
    rate = torch.tensor(1.0)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
    scale_rate(optimizer, 0.1)
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("kind", "why"),
    [(Diverges, "even at 0.001 of the arm's learning rate"), (NoRate, "NoRate has no learning rate to lower")],
)
def test_what_diverges_at_every_rate_ends_with_the_reason(kind, why):
    measure, settings = KINDS["visit"]
    bench, _ = bench_of(kind, settings, lr=1e9)
    with pytest.raises(DivergedError, match=why):
        measure(bench, settings)
