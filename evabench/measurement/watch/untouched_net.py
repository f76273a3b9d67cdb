"""A net of the arm's kind that no optimizer has seen: what the arm's weights come to without hooks and patches."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from evabench.measurement.bench import Bench
from evabench.measurement.device import module_of
from evabench.measurement.layer_calls import LayerCalls
from evabench.measurement.watch.checksums import checksums
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.workloads.build import initial_model
from evabench.workloads.workload import Batch, Workload


class Untouched(NamedTuple):
    """One forward pass; None where there can be none, or its loss is not finite."""

    loss: float | None
    num_layer_calls: int | None


class UntouchedNet:
    """Lies in the host's memory, so that a device need not hold a net twice, and is moved when it is asked."""

    def __init__(self, bench: Bench, model: nn.Module) -> None:
        self._arm, self._device, self._model = bench.workload.model, bench.device, model
        self._workload: Workload = replace(bench.workload, model=model, forward=None)
        # Compiled passes add in another order than these would.
        self._is_comparable = not bench.cell.workload.compiled
        parameters = dict(model.named_parameters())
        self.drawn = dict(zip(parameters, checksums(parameters.values()), strict=True))

    @classmethod
    def of(cls, bench: Bench) -> "UntouchedNet | None":
        """Return the net as the seed draws it; None where it cannot be made once more."""
        model = fresh_model(bench)
        return None if model is None else cls(bench, model)

    def loss(self, batch: Batch) -> Untouched:
        """Return the training loss of a batch with the arm's weights of now; no random number is used up."""
        if not self._takes_over():
            return Untouched(None, None)
        with self._on_the_device(), _without_a_trace(self._device), torch.enable_grad(), LayerCalls() as calls:
            loss = _finite(float(self._workload.loss(batch).detach()))
        return Untouched(loss, calls.num_calls)

    def validation_loss(self) -> float | None:
        """Return the validation loss with the arm's weights of now."""
        if not self._takes_over():
            return None
        with self._on_the_device(), _without_a_trace(self._device):
            return _finite(self._workload.validation().loss)

    @torch.no_grad()
    def _takes_over(self) -> bool:
        """Take over parameters and buffers, and return whether that was possible."""
        mine, theirs = _named(self._model), _named(self._arm)
        if not self._is_comparable or {n: t.shape for n, t in mine.items()} != {n: t.shape for n, t in theirs.items()}:
            return False
        for name, tensor in mine.items():
            tensor.copy_(theirs[name].detach())
        return True

    @contextmanager
    def _on_the_device(self) -> Iterator[None]:
        self._model.to(self._device)
        try:
            yield
        finally:
            self._model.to("cpu")


def fresh_model(bench: Bench) -> nn.Module | None:
    """Return the model as the seed draws it, on the CPU; None for a user's own, whose factory may draw as it likes."""
    settings: WorkloadSettings = bench.cell.workload
    if isinstance(settings, PluginWorkloadSettings):
        return None
    model = initial_model(settings, bench.seed)
    return model.to(memory_format=torch.channels_last) if settings.channels_last else model


def _named(model: nn.Module) -> dict[str, Tensor]:
    return dict(chain(model.named_parameters(), model.named_buffers()))


@contextmanager
def _without_a_trace(device: torch.device) -> Iterator[None]:
    """Give random numbers of the host and of the device back afterwards."""
    draws = device.type != "cpu" and hasattr(module_of(device), "get_rng_state")
    devices, kind = ([device.index], device.type) if draws else ([], "cuda")
    with torch.random.fork_rng(devices=devices, device_type=kind):
        yield


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
