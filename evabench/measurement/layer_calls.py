"""How often layers run: what no pass of the net can do without, whoever calls for it."""

from typing import Any, Self

from torch import nn
from torch.nn.modules.module import register_module_forward_hook


class LayerCalls:
    """Counts how often modules with parameters of their own run inside, whoever calls them."""

    def __init__(self) -> None:
        self.num_calls = 0

    def __enter__(self) -> Self:
        self._hook = register_module_forward_hook(self._note)
        return self

    def __exit__(self, *error: object) -> None:
        self._hook.remove()

    def _note(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.num_calls += is_layer(module)


def is_layer(module: nn.Module) -> bool:
    """Return whether a module has parameters of its own."""
    return any(parameter is not None for parameter in module._parameters.values())
