"""Memory, against a count by hand."""

import torch
from torch import nn

from evabench.measurement.memory.memory import curvature_state_bytes, state_bytes, track_step
from evabench.measurement.memory.storages import StorageTracker, thinned
from evabench.optimizers import Eva
from evabench.records.memory import LiveBytes

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


def small_net():
    return nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 10))


def tracked(optimizer_of, loss_of=None, num_steps=2):
    """Return the tracker of the last of some steps of a small net."""
    model, batch = small_net(), torch.randn(64, 300)
    optimizer = optimizer_of(model)
    for _ in range(num_steps):
        tracker = track_step(model, optimizer, batch, loss_of or (lambda batch: model(batch).square().mean()))
    return tracker


def test_the_momentum_is_optimizer_state_and_the_curvature_is_statistics():
    class Watched(torch.optim.Optimizer):
        """Reads its peak in the optimizer's step: a temporary there is larger than everything else."""

        def __init__(self, model):
            super().__init__(model.parameters(), {})
            for parameter in model.parameters():
                self.state[parameter] = {"momentum_buffer": torch.zeros(1000), "factor": torch.zeros(300)}

        def step(self, closure=None):
            torch.zeros(10_000_000)

    peak = tracked(Watched).peak()
    assert peak.optimizer_state == 4 * 1000 * FLOAT
    assert peak.statistics == 4 * 300 * FLOAT


class Hiding(torch.optim.Optimizer):
    """Keeps tensors where nobody looks, and reads them in its step only."""

    def __init__(self, model):
        super().__init__(model.parameters(), {})
        self.factors = [torch.ones(1000, 1000) for _ in range(2)]

    @torch.no_grad()
    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            parameter.add_(parameter.grad, alpha=-0.1)
        for factor in self.factors:
            factor.mul_(1.1)


def test_state_that_an_optimizer_hides_is_found_where_it_is_used_and_was_there_all_along():
    plain = tracked(lambda model: torch.optim.SGD(model.parameters(), lr=0.1))
    hiding = tracked(Hiding)
    assert hiding.peak().statistics == 2 * 1000**2 * FLOAT
    assert hiding.start_bytes - plain.start_bytes == 2 * 1000**2 * FLOAT
    assert hiding.peak_phase == "backward"
    assert hiding.peak().total - plain.peak().total == 2 * 1000**2 * FLOAT
    assert hiding.timeline[0].live_bytes == hiding.start_bytes
    assert max(point.live_bytes for point in hiding.timeline) == hiding.peak().total


def test_a_tensor_made_of_numbers_in_the_step_was_not_there_before():
    tracker = StorageTracker()
    with tracker.phase("optimizer"):
        made = torch.tensor([1.0, 2.0, 3.0])
    assert tracker.start_bytes == 0
    assert tracker.peak().temporaries == made.numel() * FLOAT


def test_a_planted_temporary_of_64_MiB_is_found_sized_and_placed():
    class Planted(torch.optim.SGD):
        def step(self, closure=None):
            planted = torch.zeros(64 * 2**20 // FLOAT)
            del planted
            return super().step(closure)

    plain = tracked(lambda model: torch.optim.SGD(model.parameters(), lr=0.1))
    planted = tracked(lambda model: Planted(model.parameters(), lr=0.1))
    assert planted.peak_phase == "optimizer"
    assert planted.peak().temporaries >= 64 * 2**20
    assert planted.peak().total - plain.peak().total >= 63 * 2**20


def test_a_planted_leak_of_1_MiB_a_step_shows_in_what_is_alive_when_a_step_begins():
    leaked = []

    class Leaking(torch.optim.SGD):
        def step(self, closure=None):
            leaked.append(torch.zeros(2**20 // FLOAT))
            self.state[self.param_groups[0]["params"][0]]["leak"] = list(leaked)
            return super().step(closure)

    starts = [tracked(lambda model: Leaking(model.parameters(), lr=0.1), num_steps=1 + n).start_bytes for n in (0, 1)]
    leaked.clear()
    assert starts[1] - starts[0] >= 2**20


def test_the_layer_of_the_peak_is_named_forward():
    class Wide(nn.Module):
        def forward(self, x):
            return torch.cat([x] * 1000, dim=1).sum(dim=1)  # the copies are not needed in the backward pass

    model = nn.Sequential(nn.Linear(10, 10), nn.Sequential(Wide()))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = track_step(model, optimizer, torch.randn(20, 10), lambda batch: model(batch).square().mean())
    assert tracker.peak_layer == "1.0"


def test_the_layer_of_the_peak_is_named_backward():
    model = nn.Sequential(nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = track_step(model, optimizer, torch.randn(4, 1000), lambda batch: model(batch).square().mean())
    assert (tracker.peak_phase, tracker.peak_layer) == ("backward", "0")


def test_the_timeline_begins_with_what_was_there_and_holds_the_peak():
    tracker = tracked(Eva)
    assert tracker.timeline[0] == LiveBytes(phase="forward", live_bytes=tracker.start_bytes)
    assert tracker.timeline[-1].phase == "optimizer"
    assert max(point.live_bytes for point in tracker.timeline) == tracker.peak().total
    phases = [point.phase for point in tracker.timeline]
    assert phases == sorted(phases, key=("forward", "backward", "optimizer").index)


def test_a_thinned_timeline_keeps_the_highest_point():
    timeline = [LiveBytes(phase="forward", live_bytes=size) for size in (1, 5, 2, 9, 3, 3, 1)]
    assert [point.live_bytes for point in thinned(timeline, 3)] == [5, 9, 3]
    assert thinned(timeline, 10) == tuple(timeline)
