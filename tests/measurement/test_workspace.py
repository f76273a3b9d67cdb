"""What operators allocate inside, against exact events and against the allocator itself."""

import pytest
import torch
from torch import nn

from evabench.measurement.memory.memory import tensors_where_the_allocator_peaked, track_step
from evabench.measurement.memory.workspace import Block, Span, Workspace, profile_workspace, workspace_of
from evabench.optimizers import KFAC, Eva, Shampoo

STEP = Span(0, 100, "step 1")


def test_memory_that_an_operator_gives_back_before_its_end_is_its_workspace():
    blocks = [Block(5, 10), Block(11, 100), Block(15, 40), Block(18, -100), Block(30, -10)]
    found = workspace_of(blocks, [Span(10, 20, "solve"), Span(29, 31, "free")], STEP)
    assert found == Workspace(peak_over_start_bytes=150, workspace_bytes=100, operator="solve", operator_number=0)


def test_a_result_is_no_workspace():
    found = workspace_of([Block(11, 100)], [Span(10, 20, "add")], STEP)
    assert found == Workspace(peak_over_start_bytes=100, workspace_bytes=0, operator="add", operator_number=0)


def test_what_an_operator_was_given_is_no_workspace():
    found = workspace_of([Block(5, 100), Block(12, 30), Block(15, -100)], [Span(10, 20, "copy")], STEP)
    assert found == Workspace(peak_over_start_bytes=130, workspace_bytes=30, operator="copy", operator_number=0)


def test_blocks_before_the_step_are_left_out():
    found = workspace_of([Block(-5, 1000), Block(5, 10)], [], STEP)
    assert found == Workspace(peak_over_start_bytes=10, workspace_bytes=0, operator=None)


def test_a_step_without_blocks_has_no_peak():
    assert workspace_of([], [], STEP) == Workspace(peak_over_start_bytes=0, workspace_bytes=0, operator=None)


def test_operators_are_numbered_from_the_first_of_the_step():
    operators = [Span(40, 50, "solve"), Span(10, 20, "add"), Span(-9, -1, "of the step before")]
    assert workspace_of([Block(45, 100), Block(49, -100)], operators, STEP).operator_number == 1


def test_what_a_round_takes_and_does_not_give_back_is_kept():
    kept = []
    found = profile_workspace(lambda: kept.append(torch.zeros(100)), lambda: torch.zeros(10_000).sum())
    assert found.kept_bytes == 400


OPTIMIZERS = {
    "SGD": lambda model: torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9),
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3),
    "Eva": lambda model: Eva(model, lr=1e-3),
    "KFAC": lambda model: KFAC(model, lr=1e-3, refresh_every=1),
    "Shampoo": lambda model: Shampoo(model, lr=1e-3, refresh_every=1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_tensors_and_workspace_are_what_the_allocator_really_gave_out(name):
    model = nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 300))
    optimizer, batch = OPTIMIZERS[name](model), torch.randn(64, 300)

    def loss_of(batch):
        return (model(batch) - batch).square().mean()

    def step():
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()

    for _ in range(2):
        optimizer.zero_grad()
        step()
    tracker = track_step(model, optimizer, batch, loss_of)
    workspace = profile_workspace(optimizer.zero_grad, step)
    allocator = tracker.start_bytes + workspace.peak_over_start_bytes
    tensors = tensors_where_the_allocator_peaked(tracker, workspace)
    assert tensors + workspace.workspace_bytes == pytest.approx(allocator, rel=0.01)


def test_the_peak_is_that_of_torchs_own_tracker():
    from torch.distributed._tools.mem_tracker import MemTracker

    model = nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 300))
    optimizer, batch = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9), torch.randn(64, 300)

    def loss_of(batch):
        return (model(batch) - batch).square().mean()

    ours = [track_step(model, optimizer, batch, loss_of) for _ in range(2)][-1].peak().total
    theirs = MemTracker()
    theirs.track_external(model, optimizer, batch)
    optimizer.zero_grad(set_to_none=True)
    with theirs:
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()
    (snapshot,) = theirs.get_tracker_snapshot("peak").values()
    assert ours == pytest.approx(snapshot["Total"], rel=0.01)
