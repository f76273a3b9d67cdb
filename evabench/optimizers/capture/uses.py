"""What weights are used for where no plain call of their module tells it.

At first, until a step has followed, all modules of the model are looked at under a function mode. It finds the products
of weights that are made by a `forward` of another kind: with an input that it pads itself, in the module around, in a
module that is no Linear or convolution. Later passes have the mode only inside of the modules that made such products.
A weight that gets a first gradient later, from a use that nobody has seen, makes the next pass one to look at.
"""

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from evabench.optimizers.capture.hooks import Hook, idle_hook, idle_pre_hook
from evabench.optimizers.capture.layout import Layout, find_layout
from evabench.optimizers.capture.passes import is_transformed
from evabench.optimizers.capture.products import OtherUse, Product, ProductMode, Use
from evabench.optimizers.layers.layers import KINDS, Layer, is_plain
from evabench.optimizers.layers.parts import ELSEWHERE, LayerParts

COMPUTED = "what its class multiplies by is computed from its weight in `forward`: " + ELSEWHERE
OTHER_PRODUCT = "its product is not that of one weight and its bias: " + ELSEWHERE


class Watcher(Protocol):
    """Who is told of the products."""

    enabled: bool

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Those that are known."""

    def see_product(self, layer: Layer, product: Product, output: Tensor, layout: Layout) -> None:
        """Take a product with the weight of a layer."""

    def add_layer(self, layer: Layer) -> bool:
        """Take a layer that was found by its product, or return False where it is to be left out."""

    def see_other(self, layer: Layer, output: Tensor, words: str) -> None:
        """Take a product with the weight that the matrix of the layer does not describe."""

    def remark(self, layer: Layer, words: str) -> None:
        """Take the reason why a product does not count."""

    def was_seen(self, layer: Layer) -> bool:
        """Return whether any pass through a layer is known."""


class _Call(NamedTuple):
    module: nn.Module
    shape: tuple[int, ...]  # of the first tensor that it was given


class _Running(threading.local):
    """The calls of modules that run in a thread, the innermost last."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []


@final
class Uses:
    """Watches the modules of one model; the watcher is held weakly, and owns it."""

    def __init__(self, parts: LayerParts, watcher: Watcher) -> None:
        self._model = parts.model
        self._watcher = weakref.ref(watcher)
        self._mode = ProductMode(self._report)
        self._running = _Running()
        self._candidates = {each.weight: each for each in parts.candidates}
        self._by_product: dict[nn.Parameter, Layer] = {}  # layers that products were seen of
        self._owners: dict[nn.Module, None] = {}  # modules that made these products
        self._places: list[RemovableHandle] = []  # of the modules that need the mode
        self._explained: set[nn.Parameter] = set()
        self._look: list[RemovableHandle] = []
        self._start()

    def settle(self) -> None:
        """Bring a look to its end where a pass was seen, or have one where a weight is used in a way that none was."""
        watcher = self._watcher()
        if watcher is None:
            return
        if self._look and self._has_looked:
            self._stop(watcher)
        elif not self._look and any(weight.grad is not None for weight in self._unexplained(watcher)):
            self._start()

    def look_again(self) -> None:
        """Look at all modules in the next pass."""
        if not self._look:
            self._start()

    def remove(self) -> None:
        """Remove all hooks."""
        for handle in (*self._look, *self._places):
            handle.remove()

    def enter(self, module: nn.Module, given: Iterable[object]) -> None:
        """Begin a call of a module."""
        if not (module.training and torch.is_grad_enabled()) or is_transformed():
            return
        self._has_looked = True
        shape = next((tuple(each.shape) for each in given if isinstance(each, Tensor) and not each.is_nested), ())
        if not self._running.calls:
            self._mode.__enter__()  # type: ignore[no-untyped-call]
        self._running.calls.append(_Call(module, shape))

    def leave(self, module: nn.Module) -> None:
        """End a call of a module, also one that an error ends."""
        calls = self._running.calls
        if calls and calls[-1].module is module:
            calls.pop()
            if not calls:
                self._mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def _start(self) -> None:
        self._has_looked = False
        modules = (module for module in self._model.modules() if not isinstance(module, torch.jit.ScriptModule))
        self._look = [handle for module in modules for handle in self._watch(module)]

    def _stop(self, watcher: Watcher) -> None:
        self.remove()
        self._look = []
        plain = (module for layer in self._by_product.values() for module in layer.modules)
        self._places = [handle for module in {*self._owners, *plain} for handle in self._watch(module)]
        for weight in self._unexplained(watcher):
            if weight.grad is not None:
                self._explained.add(weight)
        for layer in watcher.layers:
            if layer.weight in self._explained and not all(map(is_plain, layer.modules)):
                watcher.remark(layer, COMPUTED)

    def _unexplained(self, watcher: Watcher) -> Iterator[nn.Parameter]:
        """Yield the weights of which no use is known."""
        for layer in watcher.layers:
            if layer.weight not in self._explained and not watcher.was_seen(layer):
                yield layer.weight
        for weight in self._candidates:
            if weight not in self._explained and weight not in self._by_product:
                yield weight

    def _watch(self, module: nn.Module) -> tuple[RemovableHandle, RemovableHandle]:
        return (
            module.register_forward_pre_hook(_Edge(self, is_start=True), with_kwargs=True),
            module.register_forward_hook(_Edge(self, is_start=False), always_call=True),
        )

    def _report(self, use: Use, output: Tensor) -> None:
        watcher, call = self._watcher(), self._running.calls[-1]
        if watcher is None or not watcher.enabled or _is_plain_call(use, call.module):
            return
        layer = self._by_product.get(use.weight)
        if layer is None and self._look:  # later, a plain module inside of another is not known to run
            layer = self._find(use, call, watcher)
        if layer is None:
            return
        self._by_product[use.weight] = layer
        self._owners[call.module] = None
        if isinstance(use, Product) and _fits(use, layer):
            watcher.see_product(layer, use, output, _layout(use, call, layer))
        else:
            watcher.see_other(layer, output, OTHER_PRODUCT)

    def _find(self, product: Use, call: _Call, watcher: Watcher) -> Layer | None:
        """Return the layer of a product, a new one where its weight is in none yet."""
        for layer in watcher.layers:
            if layer.weight is product.weight:
                return layer
        candidate = self._candidates.get(product.weight)
        if candidate is None or isinstance(product, OtherUse) or product.geometry is not None:
            return None
        held = {parameter for layer in watcher.layers for parameter in layer.parameters}
        bias = product.bias if isinstance(product.bias, nn.Parameter) and product.bias.requires_grad else None
        layer = Layer(
            candidate.name,
            product.weight,
            None if bias in held else bias,
            (candidate.module,),
            is_transposed=product.is_transposed,
            batch_axis=candidate.batch_axis,
        )
        if watcher.add_layer(layer):
            return layer
        del self._candidates[product.weight]
        return None


@final
class _Edge(Hook):
    """A hook where a call of a module begins or ends; a copy of it, in a copy of the model, does nothing.

    It is no part of compiled code, in which nobody looks.
    """

    def __init__(self, uses: Uses, *, is_start: bool) -> None:
        self.uses = weakref.ref(uses)
        self.is_start = is_start

    def __call__(self, module: nn.Module, args: tuple[object, ...], *more: Any) -> None:
        if torch.compiler.is_compiling():
            return
        uses = self.uses()
        if uses is None:
            return
        if self.is_start:
            uses.enter(module, (*args, *(more[0].values() if more else ())))
        else:
            uses.leave(module)

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return (idle_pre_hook if self.is_start else idle_hook), ()


def _is_plain_call(use: Use, module: nn.Module) -> bool:
    """Return whether the hook of the module has seen the product."""
    return isinstance(module, KINDS) and is_plain(module) and module._parameters.get("weight") is use.weight


def _fits(product: Product, layer: Layer) -> bool:
    """Return whether a product is what the matrix of a layer describes."""
    num_groups = 1 if product.geometry is None else product.geometry.groups
    if product.is_transposed != layer.is_transposed or num_groups != layer.num_groups:
        return False
    if (product.geometry is None) != (layer.weight.dim() == 2):
        return False
    return layer.bias is None or product.bias is layer.bias


def _layout(product: Product, call: _Call, layer: Layer) -> Layout:
    inputs = product.inputs
    if product.geometry is not None or not inputs.numel():
        return Layout((), 0)
    num_rows = inputs.numel() // inputs.shape[-1]
    return find_layout(call.module, call.shape, num_rows, inputs.dim(), layer.batch_axis)
