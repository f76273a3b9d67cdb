"""The steps of a smoke tier in double precision: on the device they are the CPU's, but for rounding.

Three sums are added in another order on a device: over the rows of a batch, in the products that Eva makes of many
layers at once, and in K-FAC's product with an inverse. In single precision that is the last digit of the first step,
and a net whose steps are large multiplies it; in double precision nothing is left of it.
"""

import pytest
import torch

from evabench.measurement.step import training_step
from evabench.records.measurement import CountsSettings
from evabench.suite.reading import load_suite
from evabench.worker.build import build_optimizer, build_workload
from evabench.workloads.placed import placed
from evabench.workloads.workload import Batch

STEPS = 5  # one more than a smoke tier has, so that the loss behind its last step is among them
SUITES = ["ci", *(pytest.param(name, marks=pytest.mark.long) for name in ("autoencoder", "cifar", "language"))]


def in_double(tensor):
    return tensor.double() if tensor.is_floating_point() else tensor


def losses(cell, device):
    workload = build_workload(cell.workload, 0)
    workload.model.double()
    workload = placed(workload, torch.device(device))
    optimizer = build_optimizer(cell.optimizer, workload.model)
    batches = workload.batches()
    found = []
    for _ in range(STEPS):
        inputs, targets = next(batches)
        found.append(training_step(workload, optimizer, Batch(in_double(inputs), in_double(targets))))
    return [float(loss) for loss in found]


def on_both(name):
    """Return the losses of each workload and arm on the CPU and on the device."""
    suite, found = load_suite(name, "smoke"), {}
    for workload in suite.workloads:
        for arm in suite.arms:
            cell = suite.one_cell(workload, arm, CountsSettings())
            found[workload, arm] = [losses(cell, device) for device in ("cpu", "standin:0")]
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_in_double_precision_the_losses_of_a_smoke_tier_are_the_cpus(standin, suite):
    for arm, (on_cpu, on_device) in standin.ask(on_both, suite).items():
        assert on_device == pytest.approx(on_cpu, rel=1e-9), arm
