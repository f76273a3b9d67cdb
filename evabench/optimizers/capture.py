"""Statistics of the inputs and output gradients of layers, caught by hooks. No other module has hooks.

A forward hook reads the input; a hook on the output *tensor* reads the gradient, which, unlike a module's backward
hook, survives an in-place activation after the layer. Both are needed before anything counts, so a pass in eval mode,
under `no_grad` or without a backward leaves no trace.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.layers import Layer

Summary = Callable[[Tensor], Tensor]  # [rows, d] -> a sum over the rows


@dataclass(slots=True)
class Sums:
    """Sums over the rows of all backward passes since the last step."""

    inputs: Tensor
    output_gradients: Tensor
    num_rows: int  # that were summed: the samples of `statistics_batch`
    num_batch_rows: int  # of the whole batches: what a mean loss divides by


@final
class Capture:
    """The sums of every layer, from `clear` until the next; nothing is caught while `enabled` is False."""

    def __init__(
        self, layers: Sequence[Layer], summary: Summary, *, statistics_batch: int | None, trailing_one: bool
    ) -> None:
        """Watch the layers; `trailing_one` appends a 1 to the inputs of those with a bias."""
        self.layers = tuple(layers)
        self.summary = summary
        self.statistics_batch = statistics_batch
        self.trailing_one = trailing_one
        self.enabled = True
        self.sums: dict[Layer, Sums] = {}
        self._attach()

    def clear(self) -> None:
        """Forget the sums."""
        self.sums.clear()

    def add(self, layer: Layer, inputs: Tensor, gradient: Tensor) -> None:
        """Add one backward pass: the summed inputs and the gradient of the output."""
        rows = self._rows(gradient)
        summed = self.summary(rows)
        num_batch_rows = gradient.numel() // gradient.shape[-1]
        sums = self.sums.get(layer)
        if sums is None:
            self.sums[layer] = Sums(inputs, summed, rows.shape[0], num_batch_rows)
        else:  # the layer is used twice, or gradients are accumulated over several backward passes
            sums.inputs = sums.inputs + inputs
            sums.output_gradients = sums.output_gradients + summed
            sums.num_rows += rows.shape[0]
            sums.num_batch_rows += num_batch_rows

    def sum_inputs(self, layer: Layer, inputs: Tensor) -> Tensor:
        """Return the summary of the inputs of one forward pass."""
        rows = self._rows(inputs)
        if self.trailing_one and layer.bias is not None:
            rows = nn.functional.pad(rows, (0, 1), value=1.0)
        return self.summary(rows)

    def _rows(self, values: Tensor) -> Tensor:
        """Return the first samples as [rows, d]: all leading dimensions of a sequence count as rows."""
        values = values.detach()
        if self.statistics_batch is not None and values.dim() > 1:
            values = values[: self.statistics_batch]
        return values.reshape(-1, values.shape[-1])

    def _attach(self) -> None:
        for layer in self.layers:
            for module in layer.modules:
                handle = module.register_forward_hook(_ForwardHook(self, layer), with_kwargs=True)
                # With the optimizer go its hooks: a second optimizer on the same model pays for its own only.
                weakref.finalize(self, handle.remove).atexit = False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._attach()


@final
class _ForwardHook:
    """Sums the inputs of a layer, and asks its output for the gradient.

    A copy of it, in a copy of the model, does nothing: the copy of an optimizer attaches hooks of its own.
    """

    def __init__(self, capture: Capture, layer: Layer) -> None:
        self.capture = weakref.ref(capture)
        self.layer = layer

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
        capture = self.capture()
        if capture is None or not capture.enabled or not module.training:
            return
        if not (torch.is_grad_enabled() and output.requires_grad and output.numel()):
            return
        with torch.no_grad():
            inputs = capture.sum_inputs(self.layer, args[0] if args else kwargs["input"])
        layer = self.layer
        output.register_hook(lambda gradient: capture.add(layer, inputs, gradient))  # type: ignore[no-untyped-call]

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return _idle_hook, ()


def _idle_hook() -> Callable[..., None]:
    return _ignore


def _ignore(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
    """Stand where a hook was in the model that this one was copied from."""
