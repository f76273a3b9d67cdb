"""Counts: of operators whose work is known by hand, and of steps whose parts are."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from evabench.measurement.counts import OperatorCounter
from evabench.records.measurement import CountsSettings
from evabench.records.phases import PHASES
from evabench.records.request import Request
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.worker.measure import measure
from tests.runs import cell

NET = AutoencoderSettings(widths=(784, 32, 8), batch=20)
WEIGHTS = 2 * (784 * 32 + 32 * 8)
BIASES = 784 + 32 + 8 + 32


def counts(optimizer, net=NET):
    made = cell("SGD", CountsSettings(), optimizer=optimizer, net=net)
    return measure(Request(cell=made, seed=0, warmup_steps=0, timeout_seconds=60)).measured


def counted(operation, *tensors):
    counter = OperatorCounter()
    with counter:
        operation(*tensors)
    return counter.take()


@pytest.mark.parametrize(
    ("operation", "shapes", "flops", "values"),
    [
        (torch.mm, [(2, 3), (3, 5)], 60, 6 + 15 + 10),
        (torch.mv, [(4, 6), (6,)], 48, 24 + 6 + 4),
        (torch.dot, [(7,), (7,)], 14, 15),
        (torch.add, [(4, 5), (4, 5)], 20, 60),
        (lambda one: one.add_(1), [(4, 5)], 20, 40),
        (torch.sum, [(4, 5)], 20, 21),
        (lambda one: one.t().reshape(-1), [(4, 5)], 0, 40),
        (lambda one, other: one.copy_(other), [(4, 5), (4, 5)], 0, 40),
        (lambda one: one.expand(9, 5) + 1, [(1, 5)], 45, 5 + 45),
        (lambda *two: torch._foreach_add(two, 1.0), [(4, 5), (3,)], 23, 46),
        (lambda *two: torch._foreach_mul_(two, two[:1] * 2), [(4, 5), (4, 5)], 40, 120),
        (torch.addr, [(4, 5), (4,), (5,)], 40, 20 + 4 + 5 + 20),
        (lambda one: torch.linalg.cholesky_ex(one @ one.mT)[0].sum(), [(6, 6)], 432 + 91 + 36, None),
    ],
)
def test_the_work_of_an_operator_is_that_of_its_formula(operation, shapes, flops, values):
    step = counted(operation, *(torch.ones(shape) for shape in shapes))
    assert step.flops == flops
    assert values is None or step.moved_bytes == 4 * values


def test_products_are_those_of_torchs_own_flop_counter():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 5))
    images = torch.randn(2, 3, 8, 8)
    with FlopCounterMode(display=False) as torchs:
        net(images).sum().backward()
    step = counted(lambda: net(images).sum().backward())
    rest = counted(lambda: torch.ones(10).sum())  # the sum over the outputs
    assert 0 <= step.flops - torchs.get_total_flops() - rest.flops < 1000


def test_a_view_is_no_launch_and_a_number_for_the_host_is_a_read():
    step = counted(lambda one: float(one.t()[0, 0]), torch.ones(2, 2))
    assert (step.num_operators, step.host_reads, step.allocations) == (0, 1, 0)


def test_an_allocation_is_a_storage_that_nobody_had():
    step = counted(lambda one: (one.clone(), one.add_(1), one.view(-1), torch.empty(3)), torch.ones(4))
    assert (step.allocations, step.allocated_bytes) == (2, 16 + 12)


def test_a_step_of_sgd_moves_what_its_formula_says_and_has_no_part_of_a_preconditioner():
    plain = counts(SgdSettings(lr=0.1, fused=True)).plain
    update = plain.parts["update"]
    assert update.operators == {"_fused_sgd_": 1}
    assert update.flops == 6 * (WEIGHTS + BIASES)
    # Weights, gradients and momenta, read and written: a fused step may unscale its gradients in place.
    assert update.moved_bytes == 4 * 6 * (WEIGHTS + BIASES)
    assert not plain.parts.keys() & {"capture", "refresh", "precondition"}
    assert set(plain.parts) <= set(PHASES)


def test_a_cycle_has_a_refresh_and_its_plain_steps_are_stored_once():
    found = counts(KfacSettings(refresh_every=4))
    assert found.cycle_steps == 4
    assert found.positions[0] not in found.positions[1:]
    assert found.refresh.parts["refresh"].operators["linalg_cholesky_ex"] > 0
    assert "refresh" not in found.plain.parts
    assert found.refresh.flops > found.plain.flops


def test_eigenvectors_are_a_host_read_and_a_formula():
    found = counts(ShampooSettings(refresh_every=2, root_method="eigh"))
    assert found.refresh.host_reads > 0
    assert found.plain.host_reads == 0
    assert found.without_formula == ()


@pytest.mark.parametrize("optimizer", [EvaSettings(), FoofSettings(refresh_every=3), AdamWSettings(lr=0.1)])
def test_the_same_step_counts_the_same_again(optimizer):
    assert counts(optimizer) == counts(optimizer)


def test_eva_adds_work_in_proportion_to_its_weights():
    def added(width):
        parts = counts(EvaSettings(), AutoencoderSettings(widths=(784, width, width), batch=20)).plain
        return parts.only({"precondition"}).flops

    # Of [784 w, w^2, w^2, 784 w] weights, each with a constant number of flops.
    def weights(width):
        return 2 * (784 * width + width * width)

    ratio = added(128) / added(64)
    assert ratio == pytest.approx(weights(128) / weights(64), rel=0.02)


def test_among_ranks_an_optimizer_sends_its_statistics_and_sgd_nothing():
    layers = [(784, 32), (32, 8), (8, 32), (32, 784)]
    assert counts(SgdSettings(lr=0.1)).sent_bytes == 0
    assert counts(EvaSettings()).sent_bytes == 4 * sum(d_in + d_out for d_in, d_out in layers)
    assert not torch.distributed.is_initialized()
