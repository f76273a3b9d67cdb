"""Memory, against a count by hand."""

import torch
from torch import nn

from evabench.measurement.memory import StorageTracker, curvature_state_bytes, state_bytes, track_step
from evabench.optimizers import Eva

FLOAT = 4


def test_the_peak_is_what_was_alive_at_once_not_what_was_made():
    tracker = StorageTracker()
    with tracker.phase("forward"):
        for _ in range(5):
            part = torch.zeros(1000)
            del part
        kept = torch.zeros(500)
        two = torch.zeros(250), torch.zeros(250)
    assert tracker.peak().total == 1000 * FLOAT
    assert tracker.peak().activations == 1000 * FLOAT
    assert kept.numel() == sum(part.numel() for part in two)


def test_a_view_and_an_in_place_operation_cost_nothing():
    tracker = StorageTracker()
    with tracker.phase("optimizer"):
        base = torch.zeros(100)
        base.view(10, 10).mul_(2).t().add_(1)
    assert tracker.peak().temporaries == 100 * FLOAT


def test_a_step_of_sgd_holds_parameters_gradients_momentum_and_what_the_layer_saved():
    model = nn.Linear(100, 100, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batch = torch.randn(2, 100)  # small beside the weights: the peak is where their gradient is alive
    for _ in range(2):
        tracker = track_step(model, optimizer, batch, lambda batch: model(batch).square().mean())
    peak = tracker.peak()
    assert peak.parameters == peak.optimizer_state == peak.gradients == 100 * 100 * FLOAT
    assert peak.batch == 200 * FLOAT


def test_the_state_is_counted_exactly_and_the_momentum_is_no_curvature():
    model = nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 3))
    optimizer = Eva(model, lr=0.1)
    model(torch.randn(5, 20)).square().mean().backward()
    optimizer.step()
    num_parameters = 20 * 10 + 10 + 10 * 3 + 3
    assert curvature_state_bytes(optimizer) == ((20 + 10) + (10 + 3)) * FLOAT
    assert state_bytes(optimizer) == (num_parameters + (20 + 10) + (10 + 3)) * FLOAT
