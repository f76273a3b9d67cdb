"""What operators allocate inside themselves on a GPU, from the counts of torch's caching allocator.

cuDNN and cuSOLVER take memory from that allocator inside an operator. The counts are those of the bytes that were asked
for: the allocator rounds a block up, or leaves a large one whole, which is no tensor's. The host keeps them, so that
nothing here waits for the device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.measurement.device import module_of
from evabench.measurement.memory.workspace import Workspace
from evabench.units import Bytes


class Allocator(Protocol):
    """Whoever counts the bytes of a device."""

    def current(self) -> Bytes:
        """Return the bytes that are given out."""

    def take_peak(self) -> Bytes:
        """Return the most bytes given out since the last call, and begin anew."""


def allocator_of(device: torch.device) -> Allocator:
    """Return what counts the bytes of an accelerator."""
    return CudaAllocator(device) if device.type == "cuda" else DeviceAllocator(device)


@dataclass(frozen=True, slots=True)
class DeviceAllocator:
    """The allocator of any accelerator, by the counts that all of torch's have."""

    device: torch.device

    def current(self) -> Bytes:
        """Return the bytes that are given out."""
        return int(module_of(self.device).memory_allocated(self.device))

    def take_peak(self) -> Bytes:
        """Return the most bytes given out since the last call, and begin anew."""
        module = module_of(self.device)
        peak = int(module.max_memory_allocated(self.device))
        module.reset_peak_memory_stats(self.device)
        return peak


@dataclass(frozen=True, slots=True)
class CudaAllocator:
    """torch's caching allocator."""

    device: torch.device

    def current(self) -> Bytes:
        """Return the bytes that are given out, as they were asked for."""
        return self._requested()["current"]

    def take_peak(self) -> Bytes:
        """Return the most bytes given out since the last call, and begin anew."""
        peak = self._requested()["peak"]
        torch.cuda.reset_peak_memory_stats(self.device)
        return peak

    def _requested(self) -> dict[str, Bytes]:
        found: dict[str, Bytes] = torch.cuda.memory_stats_as_nested_dict(self.device)["requested_bytes"]["all"]
        return found


def watch_device_workspace(allocator: Allocator, before: Callable[[], None], step: Callable[[], object]) -> Workspace:
    """Run `before` and `step`, and return the allocator's peak in the step with the operator that it was reached in."""
    begun = allocator.current()
    before()
    start = allocator.current()
    allocator.take_peak()
    watch = _Watch(allocator)
    with watch:
        step()
    kept = allocator.current() - begun
    outside = max(watch.outside, allocator.take_peak())
    peak = max(watch.peak, outside)
    if watch.operator is None or outside > watch.peak:
        return Workspace(peak_over_start_bytes=max(0, peak - start), workspace_bytes=0, operator=None, kept_bytes=kept)
    return Workspace(
        peak_over_start_bytes=max(0, peak - start),
        workspace_bytes=watch.workspace,
        operator=watch.operator,
        operator_number=watch.operator_number,
        kept_bytes=kept,
    )


class _Watch(TorchDispatchMode):
    """Reads the counts around each operator, and remembers the one with the highest peak."""

    def __init__(self, allocator: Allocator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's base class has no annotations
        self._allocator = allocator
        self._number = 0
        self.outside = self.peak = self.workspace = 0
        self.operator: str | None = None
        self.operator_number: int | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.outside = max(self.outside, self._allocator.take_peak())
        before = self._allocator.current()
        results = func(*args, **(kwargs or {}))
        peak = self._allocator.take_peak()
        if peak > self.peak:
            self.peak, self.workspace = peak, peak - max(before, self._allocator.current())
            self.operator, self.operator_number = str(func), self._number
        self._number += 1
        return results
