"""A workload on an accelerator: weights drawn on the CPU and moved, batches made as on a CPU and moved.

So every device starts from the same weights and sees the same batches. A small data set that needs no random
transforms lies on the device whole; what is drawn for each image is computed by the CPU, where one image costs no
launches. A batch is pinned and its copy is queued: the host goes on, makes the next one while the device still
computes, and has it copied beside that, on a stream of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import torch
from torch import Tensor, nn

from evabench.units import Bytes
from evabench.workloads.in_memory import InMemory
from evabench.workloads.journal import Journal
from evabench.workloads.objectives import NextToken, Objective
from evabench.workloads.quadratic import Quadratic
from evabench.workloads.user import OwnObjective
from evabench.workloads.workload import Batch, HeldOut, Source, Workload

_RESIDENT_BYTES = 1 << 30  # MNIST has 47 MB as bytes, CIFAR-10 154 MB; ImageNet is streamed


def placed(workload: Workload, device: torch.device) -> Workload:
    """Return the workload on a device; on a CPU it is there already."""
    if device.type == "cpu":
        return workload
    resident = _make_resident(workload.source, device)
    return replace(
        workload,
        model=_moved(workload.model, device),
        objective=_objective_on(workload.objective, device),
        source=OnDevice(workload.source, device),
        resident_bytes=resident,
    )


@final
class OnDevice:
    """The batches of a source, moved."""

    def __init__(self, source: Source, device: torch.device) -> None:
        self.source, self.copies = source, Copies(device)

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield batches of one size without end."""
        return map(self._moved, self.source.training_batches(journal))

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return what the batches are taken from, where it lies."""
        return self.source.stored()

    @property
    def readers(self) -> frozenset[int]:
        """Return the processes that have read batches ahead."""
        return self.source.readers

    def held_out(self, split: HeldOut) -> Iterable[Batch]:
        """Yield every sample of a split once."""
        return map(self._moved, self.source.held_out(split))

    def _moved(self, batch: Batch) -> Batch:
        inputs = self.copies.moved(batch.inputs)
        same = batch.targets is batch.inputs
        return Batch(inputs, inputs if same else self.copies.moved(batch.targets))


@final
class Copies:
    """Copies tensors to a device; neither the host nor what the device computes waits for one before it is needed."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        has_streams = hasattr(torch.get_device_module(device), "Stream")
        self._stream = torch.Stream(device) if has_streams else None

    def moved(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the device."""
        if tensor.device == self.device:
            return tensor
        if tensor.device.type != "cpu":
            return tensor.to(self.device)
        pinned = tensor.pin_memory()
        if self._stream is None:
            return pinned.to(self.device, non_blocking=True)
        with self._stream:
            moved = pinned.to(self.device, non_blocking=True)
        present = torch.accelerator.current_stream(self.device)
        present.wait_stream(self._stream)
        moved.record_stream(present)
        return moved


def _moved(model: nn.Module, device: torch.device) -> nn.Module:
    """Return the model on a device, with every tie between its weights.

    Where a device is not among those that torch knows by name, `Module.to` makes new parameters, one for each place
    that a shared one has (PrivateUse1, torch 2.14).
    """
    places: defaultdict[nn.Parameter, list[tuple[nn.Module, str]]] = defaultdict(list)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
            places[parameter].append((module, name))
    model.to(device)
    for (first, its_name), *others in places.values():
        for module, name in others:
            setattr(module, name, getattr(first, its_name))
    return model


def _make_resident(source: Source, device: torch.device) -> Bytes:
    """Move the splits of a source that lie in memory as they are fed, and return their bytes; 0: they stay."""
    if not isinstance(source, InMemory) or source.preparation.is_random or source.num_bytes > _RESIDENT_BYTES:
        return 0
    source.move_to(device)
    return source.num_bytes


def _objective_on(objective: Objective, device: torch.device) -> Objective:
    match objective:
        case NextToken(token_bytes=Tensor() as token_bytes):
            return NextToken(token_bytes.to(device))
        case Quadratic(second_moment=inputs, weighting=outputs, optimum=optimum):
            return Quadratic(inputs.to(device), outputs.to(device), optimum.to(device))
        case OwnObjective(task=task):
            loss: Any = task.loss
            if isinstance(loss, nn.Module):  # weights of classes, say
                loss.to(device)
    return objective
