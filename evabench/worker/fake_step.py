"""The bytes of a step on fake tensors: nothing is computed and no data is read, whatever the size of the net."""

from dataclasses import replace

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import SGD, Optimizer

from evabench.measurement.bench import takes_closure
from evabench.measurement.memory.memory import track_step
from evabench.records.cell import Cell
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.units import Bytes
from evabench.worker.build import build_optimizer
from evabench.workloads.noise import build_on_noise
from evabench.workloads.workload import Batch


def peak_on_fake_tensors(cell: Cell, *, plain: bool, batch_size: int | None = None) -> Bytes:
    """Return the peak of live tensors over the first two steps: one creates the state and refreshes, one finds it.

    `plain` puts SGD in the place of the arm's optimizer, `batch_size` another number of samples in the place of the
    workload's, and the next batch, copied beside the step, on top. The peak of a later refresh is at most the state
    above it.
    """
    if isinstance(cell.workload, PluginWorkloadSettings):
        raise TypeError("a user's own workload reads its data: it cannot be built on fake tensors")
    with FakeTensorMode():
        workload = build_on_noise(cell.workload, seed=0)
        if plain:
            optimizer: Optimizer = SGD(workload.model.parameters(), 1e-6, momentum=0.9)
        else:
            optimizer = build_optimizer(_never_reading(cell.optimizer), workload.model)
        batch = next(workload.batches())
        beside = 0
        if batch_size is not None:
            batch = _resized(batch, batch_size)
            beside = sum(tensor.nbytes for tensor in {id(each): each for each in batch}.values())
        closure = not plain and takes_closure(cell)
        steps = (track_step(workload.model, optimizer, batch, workload.loss, closure=closure) for _ in range(2))
        return beside + max(step.peak().total for step in steps)


def _resized(batch: Batch, size: int) -> Batch:
    inputs = _of_size(batch.inputs, size)
    return Batch(inputs, inputs if batch.targets is batch.inputs else _of_size(batch.targets, size))


def _of_size(tensor: Tensor, size: int) -> Tensor:
    return torch.empty((size, *tensor.shape[1:]), dtype=tensor.dtype)


def _never_reading(settings: OptimizerSettings) -> OptimizerSettings:
    """Return settings with the same state whose factorisation reads nothing from the device: eigh does.

    The matrices that eigh itself returns are missing in the count then: FOOF's peak is up to a third higher.
    """
    match settings:
        case ShampooSettings(root_method="eigh"):
            return replace(settings, root_method="newton")
        case KfacSettings(factorisation="eigh"):
            return replace(settings, factorisation="cholesky")
        case FoofSettings(factorisation="eigh"):
            return replace(settings, factorisation="cholesky", top_k=None)
        case _:
            return settings
