"""Memory that can be counted: the bytes of the state, and the peak of live tensor storages.

The tracker sits under the dispatcher and sees the result of every operator, in the forward pass, in the backward pass
and in the optimizer's step; a storage counts from the operator that made it until it is freed. It is exact, free of
noise and needs no device. What an operator allocates and frees inside itself (workspace of LAPACK or oneDNN) never
reaches the dispatcher and is not counted.
"""

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evabench.records.memory import PeakBytes
from evabench.units import Bytes

Phase = Literal["forward", "backward", "optimizer"]
Category = Literal["parameters", "gradients", "activations", "optimizer_state", "batch", "temporaries"]

# State that a first-order optimizer has too: not curvature.
FIRST_MOMENTS = frozenset({"momentum_buffer", "exp_avg"})


def state_bytes(optimizer: Optimizer, *, without: frozenset[str] = frozenset()) -> Bytes:
    """Return the bytes of all tensors in the optimizer's state, each storage once, but for the named entries."""
    return sum(_storage_bytes(_state_tensors(optimizer, without)).values())


def curvature_state_bytes(optimizer: Optimizer) -> Bytes:
    """Return the bytes of the state beyond the momentum (or first moment)."""
    return state_bytes(optimizer, without=FIRST_MOMENTS)


def rss_high_water_bytes() -> Bytes | None:
    """Return the most resident memory this process ever had (VmHWM), None where Linux does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


class StorageTracker(TorchDispatchMode):
    """Counts the bytes of the tensor storages alive, and remembers what was alive at the peak."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's base class has no annotations
        # An address is used again after a storage is freed, so each storage gets a number of its own.
        self._number: dict[int, int] = {}
        self._live: dict[int, Bytes] = {}
        self._category: list[Category] = []
        self._live_bytes = 0
        self._phase: Phase = "forward"
        self._at_peak: dict[int, Bytes] = {}
        self._peak_bytes = 0
        self.peak_phase: Phase = "forward"

    def expect(self, tensors: Iterable[Tensor], category: Category) -> None:
        """Count tensors that are there already, or say what tensors seen before turned out to be."""
        for tensor in tensors:
            self._see(tensor)
            self._category[self._number[_identity(tensor)]] = category

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Attribute what is allocated inside to a phase of the step."""
        self._phase = phase
        with self:
            yield

    def peak(self) -> PeakBytes:
        """Return the peak by category; a storage nobody named is an activation or a temporary, by its phase."""
        by_category = dict.fromkeys(PeakBytes.__dataclass_fields__, 0)
        for number, num_bytes in self._at_peak.items():
            by_category[self._category[number]] += num_bytes
        return PeakBytes(**by_category)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor):
                self._see(result)
        return results

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        identity, num_bytes = _identity(tensor), storage.nbytes()
        if identity not in self._number:
            self._number[identity] = len(self._category)
            self._category.append("activations" if self._phase == "forward" else "temporaries")
            # torch keeps one Python object a storage alive as long as the storage itself.
            weakref.finalize(storage, self._forget, identity).atexit = False
        number = self._number[identity]
        known = self._live.get(number)
        if known != num_bytes:  # new, or resized in place
            self._live[number] = num_bytes
            self._live_bytes += num_bytes - (known or 0)
            if self._live_bytes > self._peak_bytes:
                self._peak_bytes, self._at_peak = self._live_bytes, dict(self._live)
                self.peak_phase = self._phase

    def _forget(self, identity: int) -> None:
        self._live_bytes -= self._live.pop(self._number.pop(identity))


def track_step(model: nn.Module, optimizer: Optimizer, batch: Tensor, loss_of: Any) -> StorageTracker:
    """Run one training step under a tracker and return it. `loss_of(batch)` is the forward pass with its loss."""
    tracker = StorageTracker()
    optimizer.zero_grad(set_to_none=True)
    parameters = list(model.parameters())
    tracker.expect(parameters, "parameters")
    tracker.expect(_state_tensors(optimizer, frozenset()), "optimizer_state")
    tracker.expect([batch], "batch")
    with tracker.phase("forward"):
        loss = loss_of(batch)
    with tracker.phase("backward"):
        loss.backward()
        del loss
    tracker.expect([p.grad for p in parameters if p.grad is not None], "gradients")
    with tracker.phase("optimizer"):
        optimizer.step()
    tracker.expect(_state_tensors(optimizer, frozenset()), "optimizer_state")
    return tracker


def _state_tensors(optimizer: Optimizer, without: frozenset[str]) -> list[Tensor]:
    entries = [value for state in optimizer.state.values() for name, value in state.items() if name not in without]
    return [leaf for leaf in tree_leaves(entries) if isinstance(leaf, Tensor)]


def _storage_bytes(tensors: Iterable[Tensor]) -> dict[int, Bytes]:
    return {_identity(tensor): tensor.untyped_storage().nbytes() for tensor in tensors}


def _identity(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)  # the address of the C++ storage, also where it holds no data


def parameter_bytes(model: nn.Module) -> Bytes:
    """Return the bytes of the parameters, each storage once."""
    return sum(_storage_bytes(model.parameters()).values())
