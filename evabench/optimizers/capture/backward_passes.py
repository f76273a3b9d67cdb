"""The backward passes that run, and whether a weight's `.grad` is what they have made of it.

Autograd calls a hook of a weight when it has added to its `.grad`, and only then: that is how a pass counts. At the end
of a pass `.grad` is remembered (weakly), because others may put the same values elsewhere: DistributedDataParallel
into its buckets. Whoever scales, clips or unscales it in place leaves the tensor; who writes a new one puts in values
that no pass through the layer has led to, or those of several.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar, final

import torch
from torch import Tensor
from torch.utils.weak import TensorWeakRef

from evabench.optimizers.capture.passes import Destination
from evabench.optimizers.layers.layers import Layer

Caught = TypeVar("Caught")


@dataclass(slots=True, eq=False)
class BackwardPass(Generic[Caught]):
    """What one backward pass has brought so far, layer by layer."""

    destination: Destination
    caught: dict[Layer, list[Caught]] = field(default_factory=dict)  # until the gradient of the weight comes
    accumulated: list[Layer] = field(default_factory=list)  # those whose weight's `.grad` has received its gradient
    returned: list[Layer] = field(default_factory=list)  # those whose weight's gradient goes to the caller


@final
class BackwardPasses(Generic[Caught]):
    """Those that run now: several where one starts another, as reentrant checkpointing does."""

    def __init__(self) -> None:
        self._running: dict[int, BackwardPass[Caught]] = {}  # by the number that torch has given to each

    def running(self) -> BackwardPass[Caught] | None:
        """Return the one that runs here, if it is known."""
        return self._running.get(torch._C._current_graph_task_id())

    def begin(
        self, destination: Destination, when_over: Callable[[BackwardPass[Caught]], None]
    ) -> BackwardPass[Caught]:
        """Return a new one, of which `when_over` is told when it has come to its end; no error may cut it short."""
        number = torch._C._current_graph_task_id()
        new = self._running[number] = BackwardPass[Caught](destination)

        def end() -> None:
            if self._running.pop(number, None) is new:
                when_over(new)

        torch.autograd.Variable._execution_engine.queue_callback(end)
        return new

    def has_accumulated(self, layer: Layer) -> bool:
        """Return whether one of those that run has added to the gradient of a layer's weight."""
        return any(layer in each.accumulated for each in self._running.values())

    def forget(self) -> None:
        """Forget those that errors have cut short, which torch does not tell."""
        self._running.clear()


class _Known(NamedTuple):
    gradient: TensorWeakRef
    version: int


@final
class OwnGradients:
    """The tensors that autograd has made for weights: those in their `.grad`, and what `autograd.grad` has returned."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        """Start with the gradients that are there."""
        self._known: dict[Layer, _Known] = {}  # by layer: a tensor's hash is a function in Python
        self._returned: dict[Layer, TensorWeakRef] = {}
        for layer in layers:
            self.remember(layer)

    def remember(self, layer: Layer) -> None:
        """Take the present `.grad` for one that autograd has made."""
        gradient = layer.weight.grad
        if gradient is not None:
            self._known[layer] = _Known(TensorWeakRef(gradient), gradient._version)

    def holds(self, layer: Layer) -> bool:
        """Return whether `.grad` still is the tensor that autograd has made, whatever was done to its values."""
        known, gradient = self._known.get(layer), layer.weight.grad
        return known is not None and gradient is not None and known.gradient() is gradient

    def remember_returned(self, layer: Layer, gradient: Tensor) -> None:
        """Note what may be on its way to the caller of `autograd.grad`."""
        self._returned[layer] = TensorWeakRef(gradient)

    def is_returned(self, layer: Layer) -> bool:
        """Return whether `.grad` is what `autograd.grad` returned last for the weight, put there by hand."""
        returned, gradient = self._returned.get(layer), layer.weight.grad
        return returned is not None and gradient is not None and returned() is gradient

    def keeps(self, layer: Layer) -> bool:
        """Return whether `.grad` still holds what autograd has put in: it is neither another tensor nor zeroed.

        Reads from the device only where somebody wrote to it between two passes.
        """
        gradient = layer.weight.grad
        if gradient is None or not self.holds(layer):
            return False
        return gradient._version == self._known[layer].version or bool(gradient.any())
