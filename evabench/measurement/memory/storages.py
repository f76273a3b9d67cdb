"""What is alive: the tensor storages that the dispatcher sees, by category, over one step.

The tracker sits under the dispatcher and sees the result of every operator, in the forward pass, in the backward pass
and in the optimizer's step; a storage counts from the operator that made it until it is freed. It is exact, free of
noise and needs no device. What an operator allocates and frees inside itself never reaches the dispatcher: see
`workspace`.

torch's own `MemTracker` does the same with other categories; it knows no curvature state, and counts what a
preconditioner keeps as activations or temporaries. The two agree on the total (tested).
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evabench.records.memory import LiveBytes, PeakBytes, Phase
from evabench.units import Bytes

Category = Literal["parameters", "gradients", "activations", "optimizer_state", "statistics", "batch", "temporaries"]


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
        self._layer: str | None = None
        self._in_step = False
        self.start_bytes = 0  # alive when the step began
        self._at_peak: dict[int, Bytes] = {}
        self._peak_bytes = 0
        self.peak_phase: Phase = "forward"
        self.peak_layer: str | None = None
        self.timeline: list[LiveBytes] = []
        self._operators: list[tuple[str, Bytes]] = []  # in order, with what was alive before or after, the larger

    def begin(self) -> None:
        """Start the step: what is known so far was there before."""
        self.start_bytes = self._live_bytes
        self.timeline = [LiveBytes(phase="forward", live_bytes=self._live_bytes)]

    def expect(self, tensors: Iterable[Tensor], category: Category) -> None:
        """Count tensors that are there already, or say what tensors seen before turned out to be."""
        for tensor in tensors:
            self._see(tensor)
            self._category[self._number[identity(tensor)]] = category

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Attribute what is allocated inside to a phase of the step."""
        self._phase, self._layer, self._in_step = phase, None, True
        with self:
            yield
        self._in_step = False

    @contextmanager
    def layers_of(self, model: nn.Module) -> Iterator[None]:
        """Know the layer that runs: forward between its hooks, backward from when its output's gradient arrives."""
        names = {module: name or type(module).__name__ for name, module in model.named_modules()}
        stack: list[str | None] = []

        def enter(module: nn.Module, args: Any) -> None:
            stack.append(self._layer)
            self._layer = names.get(module, self._layer)

        def leave(module: nn.Module, args: Any, output: Any) -> None:
            name, self._layer = self._layer, stack.pop()
            for leaf in tree_leaves(output):
                if isinstance(leaf, Tensor) and leaf.requires_grad:
                    leaf.register_hook(lambda gradient, name=name: setattr(self, "_layer", name))  # type: ignore[no-untyped-call]

        handles = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def peak(self) -> PeakBytes:
        """Return the peak by category; a storage nobody named is an activation or a temporary, by its phase."""
        by_category = dict.fromkeys(PeakBytes.__dataclass_fields__, 0)
        for number, num_bytes in self._at_peak.items():
            by_category[self._category[number]] += num_bytes
        return PeakBytes(**by_category)

    def bytes_at(self, number: int, operator: str) -> Bytes | None:
        """Return the tensors alive around the n-th operator of the step; None where that is not this operator."""
        if number >= len(self._operators) or self._operators[number][0] != operator:
            return None
        return self._operators[number][1]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if (
            func is not torch.ops.aten.lift_fresh.default
        ):  # makes a tensor of Python's numbers, which are not here before
            self._find_hidden((args, kwargs))
        before = self._live_bytes
        results = func(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor):
                self._see(result)
        self._operators.append((str(func), max(before, self._live_bytes)))
        return results

    def _find_hidden(self, arguments: Any) -> None:
        """Count what no operator of the step has made: it was there all along, where nobody could tell.

        An optimizer may keep tensors outside of its state. They raise everything that was noted until now.
        """
        for argument in tree_leaves(arguments):
            if not isinstance(argument, Tensor) or identity(argument) in self._number:
                continue
            num_bytes = argument.untyped_storage().nbytes()
            self._peak_bytes += num_bytes  # first, so that it does not look like a new peak
            self._see(argument)
            number = self._number[identity(argument)]
            self._at_peak[number] = num_bytes
            if self._phase == "optimizer":
                self._category[number] = "statistics"
            self.start_bytes += num_bytes
            self.timeline = [replace(point, live_bytes=point.live_bytes + num_bytes) for point in self.timeline[:-1]]
            self._operators = [(name, level + num_bytes) for name, level in self._operators]

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address, num_bytes = identity(tensor), storage.nbytes()
        if address not in self._number:
            self._number[address] = len(self._category)
            self._category.append("activations" if self._phase == "forward" else "temporaries")
            # torch keeps one Python object per storage alive as long as the storage itself.
            weakref.finalize(storage, self._forget, address).atexit = False
        number = self._number[address]
        known = self._live.get(number)
        if known != num_bytes:  # new, or resized in place
            self._live[number] = num_bytes
            self._change(num_bytes - (known or 0))
            if self._live_bytes > self._peak_bytes:
                self._peak_bytes, self._at_peak = self._live_bytes, dict(self._live)
                self.peak_phase, self.peak_layer = self._phase, self._layer

    def _forget(self, address: int) -> None:
        self._change(-self._live.pop(self._number.pop(address)))

    def _change(self, num_bytes: Bytes) -> None:
        self._live_bytes += num_bytes
        if self._in_step:
            self.timeline.append(LiveBytes(phase=self._phase, live_bytes=self._live_bytes))


def thinned(timeline: Sequence[LiveBytes], max_points: int) -> tuple[LiveBytes, ...]:
    """Return at most so many points, of each stretch the highest: the peak is always among them."""
    if len(timeline) <= max_points:
        return tuple(timeline)
    edges = [round(position * len(timeline) / max_points) for position in range(max_points + 1)]
    return tuple(max(timeline[start:end], key=lambda point: point.live_bytes) for start, end in pairwise(edges))


def storage_bytes(tensors: Iterable[Tensor]) -> dict[int, Bytes]:
    """Return the bytes of each storage behind the tensors, once."""
    return {identity(tensor): tensor.untyped_storage().nbytes() for tensor in tensors}


def identity(tensor: Tensor) -> int:
    """Return the address of the C++ storage, also where it holds no data."""
    return int(tensor.untyped_storage()._cdata)
