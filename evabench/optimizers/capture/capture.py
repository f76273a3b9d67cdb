"""Statistics of the inputs and output gradients of layers, caught by hooks. No other module has hooks.

A hook after the forward pass reads the input; a hook on the output *tensor* reads the gradient, which, unlike a
module's backward hook, survives an in-place activation after the layer. Both are needed before anything counts, so a
pass in eval mode, under `no_grad` or without a backward leaves no trace, and a forward pass that activation
checkpointing repeats counts once: only one of the two gets a gradient. An optimizer that needs no output gradients
counts at the forward pass. `passes` says what else is no training pass.
"""

import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.passes import is_product, is_transformed, reaches, uses_own_weight
from evabench.optimizers.capture.summaries import Summary
from evabench.optimizers.eager import eager
from evabench.optimizers.layers.layers import Layer, Module
from evabench.optimizers.phases import phase


@dataclass(slots=True)
class Sums:
    """Sums over the rows of all passes since the last step."""

    inputs: Tensor
    output_gradients: Tensor | None  # None where only the inputs are caught
    num_rows: int  # that were summed: the samples of `statistics_batch`
    num_examples: int  # of the whole batches: what a mean loss divides by


@dataclass(slots=True)
class _ForwardPass:
    """A pass that counts when the gradient of its output comes, its rows once however often that is."""

    layer: Layer
    module: Module
    inputs: Tensor  # summed
    num_rows: int
    num_examples: int
    counted_in: int = -1  # the period of the capture


def mean_inputs(caught: Iterable[Sums]) -> list[Tensor]:
    """Return the means over the rows of the inputs, layer by layer."""
    caught = list(caught)
    return list(torch._foreach_div([sums.inputs for sums in caught], [float(sums.num_rows) for sums in caught]))


def mean_output_gradients(caught: Iterable[Sums], *, per_example: bool) -> list[Tensor]:
    """Return the means over the rows of the output gradients, times the number of examples if `per_example`."""
    caught = list(caught)
    factors = [(sums.num_examples if per_example else 1) / sums.num_rows for sums in caught]
    return list(
        torch._foreach_mul([sums.output_gradients for sums in caught if sums.output_gradients is not None], factors)
    )


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
        self.in_doubt: dict[Layer, _Stamp] = {}  # layers of `doubt`, with their gradients as they were then
        self.training_pass = -1  # the number that torch gave to the last backward pass that reached a weight
        self.period = 0  # how often the sums have been forgotten
        self._attach()

    def clear(self) -> None:
        """Forget the sums."""
        self.period += 1
        self.sums.clear()
        self.to_recompute.clear()
        self.in_doubt.clear()

    def doubt(self) -> None:
        """Put in doubt what forward passes have counted, because the gradients have just been zeroed.

        Many loops zero them between the forward and the backward pass, which must not lose the statistics. But where
        another forward pass of a layer comes before its next gradient, the passes in doubt led to none: they go then.
        """
        self.in_doubt = {layer: _stamp(layer) for layer in self.sums}

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
    def see(self, layer: Layer, module: Module, inputs: Tensor, output: Tensor) -> None:
        """Count a forward pass: now, or when the gradient of its output comes."""
        if not torch.is_grad_enabled():
            self.to_recompute[module] = self.to_recompute.get(module, 0) + 1
            return
        if not (layer.weight.requires_grad and output.requires_grad and inputs.numel()):
            return
        first = self._first_samples(module, inputs)
        summed = _without_autocast(self.summary.of_inputs, layer, module, first)
        counts = self._count_rows(module, output)
        if self.output_gradients:
            seen = _ForwardPass(layer, module, summed, *counts)
            output.register_hook(partial(self._add_with_gradient, seen))  # type: ignore[no-untyped-call]
        elif not self._is_repeated(module):
            if layer in self.in_doubt and self.in_doubt.pop(layer) == _stamp(layer):
                del self.sums[layer]
            self.add(layer, Sums(summed, None, *counts))

    @eager
    @phase("capture")
    def _add_with_gradient(self, seen: _ForwardPass, gradient: Tensor) -> None:
        running = torch._C._current_graph_task_id()
        if running != self.training_pass:  # asked once: one that reaches a weight trains
            if not reaches(seen.layer.weight, gradient):
                return
            self.training_pass = running
        first = self._first_samples(seen.module, gradient)
        summed = _without_autocast(self.summary.of_output_gradients, seen.layer, seen.module, first)
        sums = self.sums.get(seen.layer)
        if seen.counted_in == self.period and sums is not None and sums.output_gradients is not None:
            # A second backward pass through one graph: the gradients add up, as those of the parameters do.
            sums.output_gradients = sums.output_gradients + summed
            return
        seen.counted_in = self.period
        self.add(seen.layer, Sums(seen.inputs, summed, seen.num_rows, seen.num_examples))

    def _count_rows(self, module: Module, output: Tensor) -> tuple[int, int]:
        """Return the number of rows that are summed, and that of the examples of the whole batch."""
        num_axes = _num_axes(module)
        is_linear = isinstance(module, nn.Linear)
        num_samples = output.shape[0] if output.dim() >= num_axes else 1
        num_rows = output.numel() // output.shape[-1 if is_linear else 1 - num_axes]
        num_summed = num_samples if self.statistics_batch is None else min(num_samples, self.statistics_batch)
        if self.summary.rows_are_samples:
            return num_summed, num_samples
        # A mean loss is taken to divide by the positions of a sequence, not by those of an image.
        return num_rows // num_samples * num_summed, num_rows if is_linear else num_samples

    def _is_repeated(self, module: Module) -> bool:
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
        values = values.detach()
        if values.dim() < _num_axes(module):
            values = values.unsqueeze(0)
        return values if self.statistics_batch is None else values[: self.statistics_batch]

    def _attach(self) -> None:
        for layer in self.layers:
            for module in layer.modules:
                handle = module.register_forward_hook(_Hook(self, layer), with_kwargs=True)
                # With the optimizer go its hooks: a second optimizer on the same model pays for its own only.
                weakref.finalize(self, handle.remove).atexit = False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._attach()


@final
class _Hook:
    """Knows its capture weakly.

    A copy of it, in a copy of the model, does nothing: the copy of an optimizer attaches hooks of its own.
    """

    def __init__(self, capture: Capture, layer: Layer) -> None:
        self.capture = weakref.ref(capture)
        self.layer = layer

    @eager
    def __call__(self, module: Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
        capture = self.capture()
        if capture is None or not (capture.enabled and module.training) or is_transformed():
            return
        inputs = args[0] if args else kwargs.get("input")
        if is_product(inputs, output, module) and uses_own_weight(self.layer, module):
            capture.see(self.layer, module, inputs, output)

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return _idle_hook, ()


_Stamp = tuple[int, int] | None  # of a gradient, whichever tensor it is and however often it was written to


def _stamp(layer: Layer) -> _Stamp:
    gradient = layer.weight.grad
    return None if gradient is None else (id(gradient), gradient._version)


def _num_axes(module: Module) -> int:
    """Return the least number of axes of a batch; every module also takes one sample without an axis for it."""
    return 2 if isinstance(module, nn.Linear) else 2 + len(module.kernel_size)


def _without_autocast(
    summarize: Callable[[Layer, Module, Tensor], Tensor], layer: Layer, module: Module, values: Tensor
) -> Tensor:
    """Return a summary that autocast does not round."""
    kind = values.device.type
    if not torch.is_autocast_enabled(kind):
        return summarize(layer, module, values)
    with torch.autocast(kind, enabled=False):
        return summarize(layer, module, values)


def _idle_hook() -> Callable[..., None]:
    return _ignore


def _ignore(*of_a_forward_pass: object) -> None:
    """Stand where a hook was in the model that this one was copied from."""
