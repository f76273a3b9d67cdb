"""The workspace of operators on a GPU, against an allocator made up."""

import torch

from evabench.measurement.memory.device_workspace import watch_device_workspace
from evabench.measurement.memory.workspace import Workspace


class FakeAllocator:
    """Counts what an operator takes inside itself, and keeps what it returns."""

    def __init__(self):
        self.now = self.peak = 1000

    def take(self, num_bytes):
        self.now += num_bytes
        self.peak = max(self.peak, self.now)

    def current(self):
        return self.now

    def take_peak(self):
        peak, self.peak = self.peak, self.now
        return peak


def watch(workspaces, outside=0):
    """Run one operator per number: it takes so much inside itself, and 10 bytes for good."""
    allocator = FakeAllocator()
    x = torch.ones(2)
    library = torch.library.Library("evabench_made_up", "FRAGMENT")
    library.define("work(Tensor x, int workspace) -> Tensor")

    def work(x, workspace):
        allocator.take(workspace)
        allocator.take(10 - workspace)
        return x + 1

    library.impl("work", work, "CPU")
    try:

        def step():
            for number in workspaces:
                torch.ops.evabench_made_up.work(x, number)
            allocator.take(outside)
            allocator.take(-outside)

        return watch_device_workspace(allocator, lambda: None, step)
    finally:
        library._destroy()


def test_the_operator_with_the_highest_peak_is_named_with_what_it_took_inside_itself():
    assert watch([50, 200, 30]) == Workspace(
        peak_over_start_bytes=210,
        workspace_bytes=190,
        operator="evabench_made_up.work.default",
        operator_number=1,
        kept_bytes=30,
    )


def test_a_peak_outside_of_operators_is_nobodys_workspace():
    found = watch([50], outside=500)
    assert (found.peak_over_start_bytes, found.workspace_bytes, found.operator) == (510, 0, None)
