"""The hooks of a layer: after its forward passes, and at the gradients of its weight."""

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle, unserializable_hook

from evabench.optimizers.capture.passes import is_product, is_transformed, uses_own_weight
from evabench.optimizers.eager import eager
from evabench.optimizers.layers.layers import KINDS, Layer, Module, Plain, is_plain


class Watcher(Protocol):
    """Who is told of the passes through layers."""

    enabled: bool

    def see(self, layer: Layer, module: Module, inputs: Tensor, output: Tensor) -> None:
        """Take a forward pass of a module."""

    def remark(self, layer: Layer, words: str) -> None:
        """Take the reason why a forward pass does not count."""

    def notice(self, layer: Layer) -> None:
        """Take that autograd has added to the gradient of a weight."""

    def notice_returned(self, layer: Layer, gradient: Tensor) -> None:
        """Take that a gradient of a weight has come, and will be added or returned."""


def watch(watcher: Watcher, layer: Layer) -> list[Callable[[], object]]:
    """Tell the watcher, which is held weakly, of all passes of a layer; return what takes each hook off.

    With the watcher go the hooks: a second optimizer on the same model pays for its own only. They come before those
    of others, who may put something else in the place of the output.
    """
    handles = [
        module.register_forward_hook(_Hook(watcher, layer, module), with_kwargs=True, prepend=True)
        for module in layer.modules
        if isinstance(module, KINDS)
    ]
    return [goes_with(watcher, handle.remove) for handle in (*handles, *_watch_gradient(watcher, layer))]


def goes_with(owner: object, remove: Callable[[], None]) -> Callable[[], object]:
    """Return what removes hooks now, once; with their owner they go by themselves."""
    finalizer = weakref.finalize(owner, remove)
    finalizer.atexit = False
    return finalizer


def _watch_gradient(watcher: Watcher, layer: Layer) -> tuple[RemovableHandle, RemovableHandle]:
    """Have the watcher told when a gradient of a weight comes, and when autograd has added it to `.grad`."""
    known = weakref.ref(watcher)

    @unserializable_hook  # type: ignore[untyped-decorator]  # to another process a weight goes without, unwarned
    def comes(gradient: Tensor) -> None:
        watching = known()
        if watching is not None:
            watching.notice_returned(layer, gradient)

    def has_been_added(weight: Tensor) -> None:
        watching = known()
        if watching is not None:
            watching.notice(layer)

    weight, is_trained = layer.weight, layer.weight.requires_grad
    weight.requires_grad_(True)  # of a frozen one torch takes no hook
    handles: tuple[RemovableHandle, RemovableHandle] = (
        weight.register_hook(comes),  # type: ignore[no-untyped-call]
        weight.register_post_accumulate_grad_hook(has_been_added),  # type: ignore[no-untyped-call]
    )
    weight.requires_grad_(is_trained)
    return handles


class HookError(AttributeError):
    """`torch.jit.script` asks for the name of a hook, whose source it wants."""


class Hook:
    """A hook of which `torch.jit.script` is told in words that it cannot have the source."""

    @property
    def __name__(self) -> str:
        """Raise `HookError`."""
        raise HookError(
            "torch.jit.script takes no model that an optimizer of evabench watches: call optimizer.detach() before it "
            "and optimizer.attach() behind it, or script a copy, copy.deepcopy(model)"
        )


@final
class _Hook(Hook):
    """Knows its watcher weakly.

    A copy of it, in a copy of the model, does nothing: the copy of an optimizer attaches hooks of its own.
    """

    def __init__(self, watcher: Watcher, layer: Layer, module: nn.Module) -> None:
        self.watcher = weakref.ref(watcher)
        self.layer = layer
        self.was_plain = is_plain(module)

    def __call__(self, module: Plain, args: tuple[Tensor, ...], *more: Any) -> None:
        # Who registers the hooks of one module on another, as `prepare_qat` does, may leave the keywords out.
        kwargs, output = more if len(more) == 2 else ({}, *more)
        if not torch.compiler.is_exporting():  # `torch.export` takes no graph breaks
            self._see(module, args, kwargs, output)

    @eager
    def _see(self, module: Plain, args: tuple[Tensor, ...], kwargs: dict[str, Tensor], output: Tensor) -> None:
        watcher = self.watcher()
        if watcher is None or not watcher.enabled:
            return
        inputs = args[0] if args else kwargs.get("input")
        if is_transformed():
            watcher.remark(self.layer, "it was used only in a torch.func transform, or traced")
        elif not module.training:
            watcher.remark(self.layer, "it was not in training mode")
        elif not is_plain(module):  # what it multiplies is seen by its products, after a look
            if self.was_plain:
                watcher.remark(self.layer, "what its module computes is something else since the optimizer was made")
        elif not uses_own_weight(self.layer, module):
            words = "it was called with other weights (torch.func.functional_call), or its weight is computed by now"
            watcher.remark(self.layer, words)
        elif is_product(inputs, output, module):
            watcher.see(self.layer, module, inputs, output)
        else:
            watcher.remark(self.layer, "its call is not the product of its weight, or a hook has replaced its output")

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return idle_hook, ()


def idle_hook() -> Callable[..., None]:
    """Return a hook that does nothing, where one was in the model that this one was copied from."""
    return _ignore


def idle_pre_hook() -> Callable[..., None]:
    """Return a hook that does nothing, where one before the forward pass was."""
    return _ignore_inputs


# `torch.jit.script` compiles what `wraps` points to, whose arguments it wants to have names and types.


def _after_a_tensor(self: Any, input: tuple[Tensor], output: Tensor) -> None:
    pass


def _before_a_tensor(self: Any, input: tuple[Tensor]) -> None:
    pass


@wraps(_after_a_tensor)
def _ignore(*of_a_forward_pass: object) -> None:
    pass


@wraps(_before_a_tensor)
def _ignore_inputs(*of_a_forward_pass: object) -> None:
    pass
