"""The bytes of a step on fake tensors: nothing is computed and no data is read, whatever the size of the net."""

from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import SGD, Optimizer
from torch.utils._python_dispatch import TorchDispatchMode

from evabench.measurement.bench import takes_closure
from evabench.measurement.memory.memory import track_step
from evabench.measurement.memory.state import state_bytes
from evabench.records.cell import Cell
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.units import Bytes
from evabench.worker.build import build_optimizer
from evabench.workloads.noise import build_on_noise
from evabench.workloads.workload import Batch


def peak_on_fake_tensors(cell: Cell, *, plain: bool, batch_size: int | None = None) -> Bytes:
    """Return the peak of live tensors over the first two steps, and over a refresh that finds its state.

    `plain` puts SGD in the place of the arm's optimizer, `batch_size` another number of samples in the place of the
    workload's, and the next batch, copied beside the step, on top. That one is drawn between two steps, which takes
    more than a step where inputs outweigh activations.
    """
    if isinstance(cell.workload, PluginWorkloadSettings):
        raise TypeError("a user's own workload reads its data: it cannot be built on fake tensors")
    ours = not (plain or isinstance(cell.optimizer, PluginSettings))
    with FakeTensorMode(), _AsComputed(ours=ours):
        workload = build_on_noise(cell.workload, seed=0)
        if plain:
            optimizer: Optimizer = SGD(workload.model.parameters(), 1e-6, momentum=0.9)
        else:
            optimizer = build_optimizer(cell.optimizer, workload.model)
        batch = next(workload.batches())
        beside = 0
        if batch_size is not None:
            batch = _resized(batch, batch_size)
            beside = sum(tensor.nbytes for tensor in {id(each): each for each in batch}.values())
        closure = not plain and takes_closure(cell)

        def peak() -> Bytes:
            return track_step(workload.model, optimizer, batch, workload.loss, closure=closure).peak().total

        peaks = [peak(), peak()]
        if ours and cell.optimizer.cycle_steps > 1:
            _come_to_a_refresh(optimizer)
            peaks.append(peak())
        if beside:
            kept = 2 * sum(each.nbytes for each in workload.model.parameters()) + state_bytes(
                optimizer
            )  # and gradients
            peaks.append(int(kept + _drawn(cell.workload) * beside))
        return beside + max(peaks)


def _drawn(workload: WorkloadSettings) -> float:
    """Return what drawing a batch takes at once, as a multiple of the batch: bytes and single precision beside them.

    A classifier's images are scaled where they lie and standardised into a tensor of their own; a crop or a flip is one
    more.
    """
    match workload:
        case ClassifierSettings(crop=crop, flip=flip):
            return 2.25 + (crop != "none") + flip
        case AutoencoderSettings():
            return 1.25
        case _:
            return 1.0


class _AsComputed(TorchDispatchMode):
    """What fake tensors leave open: the answers to a host read, and the memory behind a loss.

    A step of ours asks on the host whether what it has computed is finite, behind an eigendecomposition: as a rule it
    is. torch's mean squared error is a number in the memory of as many as it was made of, on a CPU and on a GPU alike.
    """

    def __init__(self, *, ours: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's base class has no annotations
        self._ours = ours

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self._ours and func is torch.ops.aten._local_scalar_dense.default and args[0].dtype is torch.bool:
            return True
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.mse_loss.default and result.dim() == 0:
            return torch.empty_like(args[0]).as_strided((), ())
        return result


def _come_to_a_refresh(optimizer: Optimizer) -> None:
    """Have the coming step be one that refreshes, as a saved state would."""
    saved = optimizer.state_dict()
    for group in saved["param_groups"]:
        group["step"] = 0
    optimizer.load_state_dict(saved)


def _resized(batch: Batch, size: int) -> Batch:
    inputs = _of_size(batch.inputs, size)
    return Batch(inputs, inputs if batch.targets is batch.inputs else _of_size(batch.targets, size))


def _of_size(tensor: Tensor, size: int) -> Tensor:
    return torch.empty((size, *tensor.shape[1:]), dtype=tensor.dtype)
