"""Optimizers that call the passes themselves: an option of the arm, in every kind of measurement."""

import pytest
import torch

from evabench.errors import EvabenchError, SuiteError
from evabench.records.measurement import ConvergenceSettings, MemorySettings, PhasesSettings, ProbeSettings
from evabench.records.request import Request
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.worker.measure import measure
from tests.runs import SMALL, cell

LBFGS = PluginSettings(name="torch.optim:LBFGS", options={"lr": 0.1, "max_iter": 2}, closure=True)
SHARP = PluginSettings(name="tests.worker.test_closure:Sharpness", options={"lr": 0.1}, closure=True)


class Sharpness(torch.optim.SGD):
    """Sharpness-aware: the gradient at the end of a small step uphill, so two calls of the closure in each step."""

    @torch.no_grad()
    def step(self, closure=None):
        assert closure is not None, "sharpness-aware steps need a closure"
        loss = closure()
        uphill = [(p, 0.05 * p.grad / p.grad.norm()) for p in self.param_groups[0]["params"]]
        for p, way in uphill:
            p += way
        closure()
        for p, way in uphill:
            p -= way
        super().step()
        return loss


def measured(optimizer, settings):
    made = cell("Own", settings, optimizer=optimizer, net=SMALL)
    return measure(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60)).measured


@pytest.mark.parametrize("optimizer", [LBFGS, SHARP], ids=["LBFGS", "sharpness-aware"])
def test_an_optimizer_with_a_closure_trains(optimizer):
    curve = measured(optimizer, ConvergenceSettings(steps=6, evaluate_every=3, schedule="constant"))
    first, *_, last = [point.validation_loss for point in curve.evaluations]
    assert last < first
    assert len(curve.training_losses) == 6


def test_the_loss_of_a_step_is_that_before_it_whatever_the_closure_is_called_for():
    settings = ConvergenceSettings(steps=2, evaluate_every=1, schedule="constant")
    plain = PluginSettings(name="torch.optim:SGD", options={"lr": 0.1})
    assert measured(SHARP, settings).training_losses[0] == measured(plain, settings).training_losses[0]


def test_both_passes_are_parts_of_a_step_with_a_closure_too():
    parts = measured(SHARP, PhasesSettings(min_steps=2, min_cycles=2, min_warmup_steps=1)).amortised
    assert {"forward", "backward", "fused"} <= parts.keys()


def test_the_memory_of_a_step_with_a_closure_is_that_of_its_passes():
    sharp = measured(SHARP, MemorySettings())
    plain = measured(PluginSettings(name="torch.optim:SGD", options={"lr": 0.1}), MemorySettings())
    assert sharp.peak.total > plain.peak.total
    assert sharp.peak_phase == "optimizer"


def test_a_probe_calls_with_the_closure():
    assert len(measured(SHARP, ProbeSettings(real_steps=2)).step_seconds) == 2


def test_an_optimizer_that_cannot_step_without_a_closure_names_the_option():
    with pytest.raises(
        SuiteError, match=r'the step of "torch.optim:LBFGS" needs a closure: give the arm closure = true'
    ):
        measured(PluginSettings(name="torch.optim:LBFGS"), MemorySettings())


def test_a_closure_that_is_never_called_is_told():
    useless = PluginSettings(name="tests.worker.plugins:Prints", options={"lr": 0.1}, closure=True)
    assert measured(useless, ProbeSettings(real_steps=1)).step_seconds  # SGD calls it
    with pytest.raises(EvabenchError, match="calls no closure: leave closure = true out"):
        measured(
            PluginSettings(name="tests.worker.test_closure:Deaf", options={"lr": 0.1}, closure=True), MemorySettings()
        )


class Deaf(torch.optim.SGD):
    def step(self, closure=None):
        return super().step()
