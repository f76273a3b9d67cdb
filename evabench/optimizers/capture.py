"""Statistics of the inputs and output gradients of layers, caught by hooks. No other module has hooks.

A forward hook reads the input; a hook on the output *tensor* reads the gradient, which, unlike a module's backward
hook, survives an in-place activation after the layer. Both are needed before anything counts, so a pass in eval mode,
under `no_grad` or without a backward leaves no trace, and a forward pass that activation checkpointing repeats counts
once: only one of the two gets a gradient. An optimizer that needs no output gradients counts at the forward pass.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.layers import Layer, Module
from evabench.optimizers.phases import phase
from evabench.optimizers.summaries import Summary, count_examples, count_rows


@dataclass(slots=True)
class Sums:
    """Sums over the rows of all passes since the last step."""

    inputs: Tensor
    output_gradients: Tensor | None  # None where only the inputs are caught
    num_rows: int  # that were summed: the samples of `statistics_batch`
    num_examples: int  # of the whole batches: what a mean loss divides by


@final
class Capture:
    """The sums of every layer, from `clear` until the next; nothing is caught while `enabled` is False."""

    def __init__(
        self,
        layers: Sequence[Layer],
        summary: Summary,
        *,
        statistics_batch: int | None = None,
        output_gradients: bool = True,
    ) -> None:
        """Watch the layers; without `output_gradients` there is no hook in the backward pass."""
        self.layers = tuple(layers)
        self.summary = summary
        self.statistics_batch = statistics_batch
        self.output_gradients = output_gradients
        self.enabled = True
        self.sums: dict[Layer, Sums] = {}
        self.to_recompute: dict[Module, int] = {}  # forward passes under no_grad, which a backward pass may repeat
        self._attach()

    def clear(self) -> None:
        """Forget the sums."""
        self.sums.clear()
        self.to_recompute.clear()

    @phase("capture")
    def add(self, layer: Layer, new: Sums) -> None:
        """Add one pass; there are several where a layer is used twice, or gradients are accumulated."""
        sums = self.sums.get(layer)
        if sums is None:
            self.sums[layer] = new
            return
        sums.inputs = sums.inputs + new.inputs
        if sums.output_gradients is not None and new.output_gradients is not None:
            sums.output_gradients = sums.output_gradients + new.output_gradients
        sums.num_rows += new.num_rows
        sums.num_examples += new.num_examples

    @phase("capture")
    def sum_pass(self, layer: Layer, module: Module, inputs: Tensor, output: Tensor) -> Sums:
        """Return the sums of a forward pass, which know no output gradients yet."""
        first_inputs, first_output = self._first_samples(module, inputs), self._first_samples(module, output)
        return Sums(
            _in_full_precision(self.summary.of_inputs, layer, module, first_inputs),
            None,
            count_rows(module, first_output),
            count_examples(module, _with_batch(module, output)),
        )

    @phase("capture")
    def sum_gradient(self, layer: Layer, module: Module, gradient: Tensor) -> Tensor:
        """Return the summary of the gradient of an output."""
        first = self._first_samples(module, gradient)
        return _in_full_precision(self.summary.of_output_gradients, layer, module, first)

    def is_repeated(self, module: Module) -> bool:
        """Return whether a forward pass repeats one that has been counted, inside the backward pass.

        Reentrant checkpointing runs the first pass under no_grad, and the repetition is the one that counts.
        """
        if torch._C._current_graph_task_id() == -1:
            return False
        if self.to_recompute.get(module, 0) == 0:
            return True
        self.to_recompute[module] -= 1
        return False

    def _first_samples(self, module: Module, values: Tensor) -> Tensor:
        values = _with_batch(module, values.detach())
        return values if self.statistics_batch is None else values[: self.statistics_batch]

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

    def __call__(self, module: Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
        capture = self.capture()
        if capture is None or not capture.enabled or not module.training or not output.numel():
            return
        if not (torch.is_grad_enabled() and output.requires_grad):
            capture.to_recompute[module] = capture.to_recompute.get(module, 0) + 1
            return
        if not self.layer.weight.requires_grad:
            return
        inputs = args[0] if args else kwargs["input"]
        if capture.output_gradients:
            _await_gradient(capture, self.layer, module, inputs, output)
        elif not capture.is_repeated(module):
            capture.add(self.layer, capture.sum_pass(self.layer, module, inputs, output))

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return _idle_hook, ()


def _await_gradient(capture: Capture, layer: Layer, module: Module, inputs: Tensor, output: Tensor) -> None:
    sums = capture.sum_pass(layer, module, inputs, output)

    def add(gradient: Tensor) -> None:
        summed = capture.sum_gradient(layer, module, gradient)
        capture.add(layer, Sums(sums.inputs, summed, sums.num_rows, sums.num_examples))

    output.register_hook(add)  # type: ignore[no-untyped-call]


def _with_batch(module: Module, values: Tensor) -> Tensor:
    """Return values with a first axis for samples, which every module also takes without."""
    num_axes = 1 if isinstance(module, nn.Linear) else 1 + len(module.kernel_size)
    return values.unsqueeze(0) if values.dim() == num_axes else values


def _in_full_precision(
    summarize: Callable[[Layer, Module, Tensor], Tensor], layer: Layer, module: Module, values: Tensor
) -> Tensor:
    """Return a summary that autocast does not round."""
    with torch.no_grad(), torch.autocast(values.device.type, enabled=False):
        return summarize(layer, module, values)


def _idle_hook() -> Callable[..., None]:
    return _ignore


def _ignore(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
    """Stand where a hook was in the model that this one was copied from."""
