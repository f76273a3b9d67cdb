"""Looks into one training step: how often the model runs, and on what."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from evabench.measurement.layer_calls import is_layer
from evabench.measurement.watch.checksums import content_digest
from evabench.records.checks import WatchedBatch
from evabench.workloads.workload import Batch


class PassWatch:
    """Between `begin` and `end` lies one step. Inside only a list grows; what it means is read behind the step."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._passes: list[tuple[nn.Module, tuple[Any, ...]]] = []
        self._num_layer_calls = 0

    def begin(self, step: int, batch: Batch) -> None:
        """Look at the batch, and begin to look at passes."""
        self._step, self._batch, self._digest = step, batch, content_digest(batch)
        self._passes.clear()
        self._num_layer_calls = 0
        self._hook = register_module_forward_hook(self._note)

    def end(self, *, closure: bool) -> WatchedBatch:
        """Return what was seen. An optimizer that calls a closure runs the model as often as it likes."""
        self._hook.remove()
        like = [inputs for module, inputs in self._passes if _is_like(module, self._model)]
        # Who writes into the batch itself has fed something else, though it is the same tensor.
        written = content_digest(self._batch) != self._digest
        found = WatchedBatch(
            step=self._step,
            digest=self._digest,
            num_passes=None if closure else len(like),
            num_layer_calls=None if closure else self._num_layer_calls,
            fed_otherwise=written or any(not self._is_batch(inputs) for inputs in like),
        )
        self._passes.clear()
        return found

    def _note(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._num_layer_calls += is_layer(module)
        if type(module) is type(self._model):
            self._passes.append((module, inputs))

    def _is_batch(self, inputs: tuple[Any, ...]) -> bool:
        fed = inputs[0] if inputs else None
        mine = self._batch.inputs
        return isinstance(fed, Tensor) and fed.shape == mine.shape and torch.equal(fed.detach(), mine)


def _is_like(module: nn.Module, model: nn.Module) -> bool:
    """Return whether a module is the model, or a copy of it."""
    return type(module) is type(model) and _num_parameters(module) == _num_parameters(model)


def _num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
