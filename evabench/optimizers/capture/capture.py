"""Statistics of the inputs and output gradients of layers, caught by hooks (`hooks`).

A hook after the forward pass reads the input; a hook on the node of autograd that made the output reads the gradient,
which, unlike a module's backward hook, survives an in-place activation after the layer. What both have read counts when
a hook of the weight says that its `.grad` has received the gradient (`backward_passes`): a pass in eval mode, under
`no_grad`, with no backward pass, or with one for other tensors leaves no trace, and a forward pass that activation
checkpointing repeats counts once. At the step the sums count whose gradient is still there. `passes` says what is no
training pass.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.optimizers.capture.backward_passes import BackwardPass, BackwardPasses, OwnGradients
from evabench.optimizers.capture.hooks import goes_with, watch
from evabench.optimizers.capture.layout import Layout
from evabench.optimizers.capture.nodes import BIASES, below_views
from evabench.optimizers.capture.partial import Summed
from evabench.optimizers.capture.passes import find_destination
from evabench.optimizers.capture.products import Product
from evabench.optimizers.capture.summaries import Summary
from evabench.optimizers.capture.sums import Caught, ForwardPass, Sums, count
from evabench.optimizers.capture.uses import Uses
from evabench.optimizers.eager import eager, have_compiled_code_look_for_hooks
from evabench.optimizers.layers.layers import Layer, Module
from evabench.optimizers.layers.parts import LayerParts
from evabench.optimizers.phases import phase
from evabench.optimizers.tensors import as_plain, is_wider, statistic_type, why_no_rows

_MATRIX = nn.Linear(1, 1, device="meta")  # says of a product that it is one of matrices
NO_GRADIENT = "no backward pass has led to a gradient of its weight"
COMPUTED_NOW = "its weight is computed by now"
SET_BY_HAND = "the gradient was set by hand: wrap the passes in `with optimizer.accumulating():`"


@final
class Capture:
    """The sums of every layer, from one step to the next; nothing is caught while `enabled` is False."""

    def __init__(
        self,
        layers: Sequence[Layer],
        summary: Summary,
        *,
        parts: LayerParts | None = None,
        statistics_batch: int | None = None,
        output_gradients: bool = True,
    ) -> None:
        """Watch the layers; without `output_gradients` what comes back is not summed, only noticed.

        With the parts of a model, its other products of weights count, too (`uses`).
        """
        self.layers = tuple(layers)
        self.parts = parts
        self.summary = summary
        self.statistics_batch = statistics_batch
        self.output_gradients = output_gradients
        self.enabled = True
        self.is_attached = True
        self.sums: dict[Layer, Sums] = {}
        self.set_by_hand: tuple[Layer, ...] = ()  # at the last step
        self.mixed: dict[Layer, str] = {}  # at the last step: those whose gradient other products had a part in
        self.num_steps = 0
        self._others: dict[Layer, str] = {}  # since the last step: those products, in words
        self._unseen: dict[Layer, bool] = {}  # whose gradient no pass has led to; True: the model was looked at for it
        self._remarks: dict[Layer, str] = {}  # why the last pass that did not count did not
        self._num_accumulating = 0  # contexts of `accumulating` that are open
        self._trusts_gradients = False  # since one was opened, until the next step
        self._attach()

    @contextmanager
    def accumulating(self) -> Iterator[None]:
        """Count every pass inside, whatever becomes of its gradient: the user puts `.grad` together by hand."""
        self._num_accumulating += 1
        self._trusts_gradients = True
        try:
            yield
        finally:
            self._num_accumulating -= 1

    def clear(self) -> None:
        """Forget the sums, with the gradients that they belong to; not while gradients are put together by hand."""
        if not self._num_accumulating:
            self._trusts_gradients = False
            self._forget()

    def settle(self) -> bool:
        """Leave what counts at this step, and return whether that is anything.

        Those are the sums of the layers whose `.grad` the counted passes have made. A layer whose gradient is gone has
        none; one whose gradient was set by hand is noted besides.
        """
        self.num_steps += 1
        if self._uses is not None:
            self._uses.settle()
            if not all(self._unseen.values()):  # a layer is used in another way than before, once for each
                self._uses.look_again()
                self._unseen = dict.fromkeys(self._unseen, True)
        self.set_by_hand = () if self._trusts_gradients else tuple(filter(self._is_set_by_hand, self.layers))
        others = self._others | {layer: COMPUTED_NOW for layer in self.layers if layer.is_computed}
        self.mixed = {layer: words for layer, words in others.items() if layer.weight.grad is not None}
        without = (each for each in self.layers if each.weight.grad is None)
        for layer in (*self.set_by_hand, *self.mixed, *without):
            self.sums.pop(layer, None)
        if not self.sums:
            self.take()
        return bool(self.sums)

    def take(self) -> dict[Layer, Sums]:
        """Return the sums and forget them."""
        taken = dict(self.sums)
        self._trusts_gradients = self._num_accumulating > 0
        self._forget()
        return taken

    def layers_to_precondition(self) -> Sequence[Layer]:
        """Return the layers without those whose gradients are not of their own rows alone at this step."""
        if not (self.set_by_hand or self.mixed):
            return self.layers
        return [layer for layer in self.layers if layer not in self.set_by_hand and layer not in self.mixed]

    def why_plain(self, without: Container[str]) -> dict[str, str]:
        """Return why layers took the plain gradient at the last step; `without` are those without statistics."""
        words = {each.name: self._why_idle(each) for each in self.layers if each.name in without}
        words |= {each.name: SET_BY_HAND for each in self.set_by_hand if each.name not in without}
        return words | {each.name: why for each, why in self.mixed.items()}

    def _why_idle(self, layer: Layer) -> str:
        if not self.num_steps:
            return "no step yet"
        if layer in self.set_by_hand and self._remarks.get(layer) in (None, NO_GRADIENT):
            return SET_BY_HAND
        return self._remarks.get(layer, layer.why_idle)

    def remark(self, layer: Layer, words: str) -> None:
        """Note why a pass does not count."""
        self._remarks[layer] = words

    def was_seen(self, layer: Layer) -> bool:
        """Return whether any pass through a layer is known."""
        return layer in self._remarks

    def add_layer(self, layer: Layer) -> bool:
        """Watch another layer, unless it is to be left out."""
        if self.parts is not None and not self.parts.add(layer):
            return False
        self.layers = (*self.layers, layer)
        self._hooks += watch(self, layer)
        return True

    def follow(self) -> None:
        """Watch the layers that the parts have gained, and look once more at what the model does."""
        assert self.parts is not None
        new = [layer for layer in self.parts.layers if layer not in self.layers]
        self.layers = (*self.layers, *new)
        if self.is_attached:
            self._hooks += [hook for layer in new for hook in watch(self, layer)]
            self._look()

    def detach(self) -> None:
        """Take all hooks off the model, and forget what they have caught."""
        for remove in self._hooks:
            remove()
        self.is_attached = False
        self._attach()
        self._forget()

    def attach(self) -> None:
        """Put the hooks back."""
        if not self.is_attached:
            self.is_attached = True
            self._attach()

    def see_product(self, layer: Layer, product: Product, output: Tensor, layout: Layout) -> None:
        """Keep a product with the weight of a layer until the gradient of its output comes."""
        self.see(layer, product.geometry or _MATRIX, product.inputs, output, layout)

    def see_other(self, layer: Layer, output: Tensor, words: str) -> None:
        """Note a product with the weight that is not one of its matrix, when the gradient of its output comes.

        The gradient of the weight is then not of the rows that its hooks have seen.
        """
        self.remark(layer, words)
        if torch.is_grad_enabled() and output.requires_grad:
            output.register_hook(lambda _: self._others.update({layer: words}))  # type: ignore[no-untyped-call]

    @phase("capture")
    def see(self, layer: Layer, module: Module, inputs: Tensor, output: Tensor, layout: Layout | None = None) -> None:
        """Keep a forward pass until the gradient of its output comes.

        What comes is read behind the node of the product where that has summed it already, for a bias, else before it.
        """
        if without_rows := why_no_rows(inputs, output):
            self.remark(layer, without_rows)
            return
        below = below_views(output)
        node = below.grad_fn
        if node is None or not layer.weight.requires_grad or not inputs.numel():
            self.remark(layer, "it was used without gradients only, or while its weight was frozen")
            return
        self._remarks[layer] = NO_GRADIENT
        if layout is None and layer.batch_axis:
            layout = Layout((), layer.batch_axis)
        first = self._first_samples(layer, module, inputs, layout)
        summed = _without_autocast(self.summary.of_inputs, layer, module, first)
        counts = self._count_rows(module, output if layout is None else layout.arrange(output.detach()))
        seen = ForwardPass(layer, module, output.shape, summed, *counts, layout=layout)
        place = BIASES.get(node.name()) if self._takes_bias_gradients else None
        if place is None:
            node.register_prehook(partial(self._come, seen, below.output_nr))
        else:
            node.register_hook(partial(self._have_come, seen, place))

    @property
    def _takes_bias_gradients(self) -> bool:
        return self.output_gradients and self.statistics_batch is None and self.summary.sums_are_bias_gradients

    @eager
    @phase("capture")
    def _come(self, seen: ForwardPass, place: int, gradients: tuple[Tensor | None, ...]) -> None:
        """Take the gradients of the outputs of a node, before they go through it."""
        gradient = gradients[place]
        if gradient is not None:
            self._catch(seen, gradient)

    @eager
    @phase("capture")
    def _have_come(
        self, seen: ForwardPass, place: int, of_inputs: tuple[Tensor | None, ...], of_outputs: tuple[Tensor | None, ...]
    ) -> None:
        """Take the gradients of a node of one output, which may have summed it for a bias."""
        gradient, summed = of_outputs[0], of_inputs[place]
        if gradient is None:
            return
        if summed is None or summed.dim() != 1 or summed.dtype is not statistic_type(seen.layer.weight):
            summed = None
        self._catch(seen, gradient, summed)

    def _catch(self, seen: ForwardPass, gradient: Tensor, of_bias: Tensor | None = None) -> None:
        """Sum the gradient of an output, until that of the weight comes; `of_bias` is the sum, on its way to a bias."""
        layer = seen.layer
        running = self._passes.running()
        if running is None:  # asked until a weight is found that the pass leads to
            destination = find_destination(layer.weight, gradient)
            if destination == "nowhere":
                return
            running = self._passes.begin(destination, self._end)
        caught = running.caught.get(layer)
        if caught is None:
            caught = running.caught[layer] = []
            if running.destination == ".grad":
                self._prepare(layer)
        summed: Summed | None = None
        if of_bias is not None:
            summed = of_bias.detach().clone()  # it may become the bias's `.grad`, which anybody may write to
        elif self.output_gradients:
            whole = gradient if gradient.shape == seen.shape else gradient.reshape(seen.shape)
            first = self._first_samples(layer, seen.module, whole, seen.layout)
            summed = _without_autocast(self.summary.of_output_gradients, layer, seen.module, first)
        caught.append(Caught(seen, summed))

    @eager
    @phase("capture")
    def notice(self, layer: Layer) -> None:
        """Count what was caught in the backward pass that has just added to the gradient of a weight."""
        running = self._passes.running() or self._passes.begin(".grad", self._end)
        caught = running.caught.get(layer, ())
        if caught:
            count(self.sums, caught)
            caught.clear()
        elif layer in self.sums and not (torch.is_grad_enabled() or self._is_kept(layer)):
            del self.sums[layer]  # a new gradient, without what the earlier passes have led to
        elif layer not in self.sums and self.enabled:
            self._unseen.setdefault(layer, False)
        running.accumulated.append(layer)

    def _prepare(self, layer: Layer) -> None:
        """Make the sums those of the present `.grad`, to which the gradient of another pass will be added."""
        if layer in self._returned and self._own.is_returned(layer):
            self._adopt(layer)
        elif layer in self.sums and not self._is_kept(layer):
            del self.sums[layer]  # its gradient was forgotten, by the model's `zero_grad` for instance

    @eager
    def notice_returned(self, layer: Layer, gradient: Tensor) -> None:
        """Remember the gradient of a weight where it may go to the caller of `autograd.grad`."""
        running = self._passes.running()
        if running is None or running.destination == "the caller":
            if layer in self._returned and self._own.is_returned(layer):
                self._adopt(layer)  # the last one was put in `.grad`, and this one may only be looked at
            self._own.remember_returned(layer, gradient)
            if running is not None:
                running.returned.append(layer)

    def _end(self, over: BackwardPass[Caught]) -> None:
        for layer in [each for each in self.sums if each not in over.accumulated and not self._is_kept(each)]:
            del self.sums[layer]  # its gradient was forgotten, and the pass has not led to another
        for layer in over.accumulated:
            self._own.remember(layer)
        for layer in over.returned:
            caught = over.caught.get(layer, [])
            if self._num_accumulating:
                count(self.sums, caught)
            else:
                self._returned[layer] = caught

    def _is_set_by_hand(self, layer: Layer) -> bool:
        """Return whether somebody has put another tensor in `.grad`; what `autograd.grad` returned counts."""
        if layer.weight.grad is None or self._own.holds(layer) or self._passes.has_accumulated(layer):
            return False
        if not self._own.is_returned(layer):
            return True
        self._adopt(layer)
        return False

    def _adopt(self, layer: Layer) -> None:
        """Count the pass of `autograd.grad` whose gradient was put in `.grad`."""
        self.sums.pop(layer, None)
        count(self.sums, self._returned.pop(layer, ()))
        self._own.remember(layer)

    def _is_kept(self, layer: Layer) -> bool:
        return self._trusts_gradients or self._own.keeps(layer) or self._passes.has_accumulated(layer)

    def _forget(self) -> None:
        self.sums.clear()
        self._returned.clear()
        self._others.clear()
        if torch._C._current_graph_task_id() == -1:
            self._passes.forget()

    def _count_rows(self, module: Module, output: Tensor) -> tuple[int, int, int]:
        """Return the numbers of rows that are summed, of examples of the whole batch, and of those that are summed."""
        num_axes = _num_axes(module)
        is_linear = isinstance(module, nn.Linear)
        num_samples = output.shape[0] if output.dim() >= num_axes else 1
        num_rows = output.numel() // output.shape[-1 if is_linear else 1 - num_axes]
        num_summed = num_samples if self.statistics_batch is None else min(num_samples, self.statistics_batch)
        if self.summary.rows_are_samples:
            return num_summed, num_samples, num_summed
        # A mean loss is taken to divide by the positions of a sequence, not by those of an image.
        num_summed_rows = num_rows // num_samples * num_summed
        return (num_summed_rows, num_rows, num_summed_rows) if is_linear else (num_summed_rows, num_samples, num_summed)

    def _first_samples(self, layer: Layer, module: Module, values: Tensor, layout: Layout | None) -> Tensor:
        values = values.detach()
        if type(values) is not Tensor:
            values = as_plain(values)
        if is_wider(values) != is_wider(layer.weight):
            values = values.to(statistic_type(layer.weight))
        if layout is not None:
            values = layout.arrange(values)
        if values.dim() < _num_axes(module):
            values = values.unsqueeze(0)
        return values if self.statistics_batch is None else values[: self.statistics_batch]

    def _attach(self) -> None:
        self._passes = BackwardPasses[Caught]()
        self._own = OwnGradients(self.layers)
        self._returned: dict[Layer, Sequence[Caught]] = {}  # what `autograd.grad` has passed through last
        self._hooks = [hook for layer in self.layers for hook in watch(self, layer)] if self.is_attached else []
        self._uses: Uses | None = None
        if self.is_attached:
            have_compiled_code_look_for_hooks()
            self._look()

    def _look(self) -> None:
        if self._uses is not None:
            self._uses.remove()
        if self.parts is not None:
            self._uses = Uses(self.parts, self)
            self._hooks.append(goes_with(self, self._uses.remove))

    def __getstate__(self) -> dict[str, Any]:
        own = ("_passes", "_own", "_returned", "_uses", "_hooks")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._attach()


def _num_axes(module: Module) -> int:
    """Return the least number of axes of a batch; every module also takes one sample without an axis for it."""
    return 2 if isinstance(module, nn.Linear) else 2 + len(module.kernel_size)


def _without_autocast(
    summarize: Callable[[Layer, Module, Tensor], Summed], layer: Layer, module: Module, values: Tensor
) -> Summed:
    """Return a summary that autocast does not round."""
    if not torch._C._is_any_autocast_enabled():
        return summarize(layer, module, values)
    with torch.autocast(values.device.type, enabled=False):
        return summarize(layer, module, values)
