"""A quick look at one workload and arm: bytes on fake tensors, then seconds of a few real steps."""

from dataclasses import replace
from time import perf_counter

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import SGD, Optimizer

from evabench.errors import DataError
from evabench.measurement.bench import Bench, takes_closure
from evabench.measurement.device import synchronize
from evabench.measurement.memory.memory import track_step
from evabench.measurement.resident import rss_high_water_bytes
from evabench.measurement.step import training_step
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.probe import Probe
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.units import Bytes
from evabench.worker.build import build_optimizer, build_workload
from evabench.workloads.noise import build_on_noise
from evabench.workloads.placed import placed
from evabench.workloads.workload import Workload


def measure_probe(bench: Bench, settings: ProbeSettings) -> Probe:
    """Return the bytes of a step where no real step is asked for, else the seconds of so many.

    The workload and the optimizer of the bench stay unbuilt: the data may not be here.
    """
    cell = bench.cell
    return _count_bytes(cell) if settings.real_steps == 0 else _time_steps(cell, settings.real_steps, bench.device)


def _count_bytes(cell: Cell) -> Probe:
    """Return the peak of live tensors over the first two steps: one creates the state and refreshes, one finds it.

    Nothing is computed and no data is read, so that a net larger than this machine can be looked at. The peak of a
    later refresh is at most the state above it.
    """
    before = rss_high_water_bytes()
    for plain in (False, True):
        try:
            peak = _fake_peak(cell, plain=plain)
        except Exception:  # whatever a foreign optimizer does on fake tensors: SGD takes its place
            continue
        return Probe(peak_bytes=peak, plain_optimizer=plain, on_noise=True, rss_high_water_bytes=before)
    return Probe(rss_high_water_bytes=before)


def _fake_peak(cell: Cell, *, plain: bool) -> Bytes:
    if isinstance(cell.workload, PluginWorkloadSettings):
        raise TypeError("a user's own workload reads its data: it cannot be built on fake tensors")
    with FakeTensorMode():
        workload = build_on_noise(cell.workload, seed=0)
        if plain:
            optimizer: Optimizer = SGD(workload.model.parameters(), 1e-6, momentum=0.9)
        else:
            optimizer = build_optimizer(_never_reading(cell.optimizer), workload.model)
        batch = next(workload.batches())
        closure = not plain and takes_closure(cell)
        steps = (track_step(workload.model, optimizer, batch, workload.loss, closure=closure) for _ in range(2))
        return max(step.peak().total for step in steps)


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


def _time_steps(cell: Cell, num_steps: int, device: torch.device) -> Probe:
    started = perf_counter()
    on_noise = False
    try:
        workload = build_workload(cell.workload, 0)
    except DataError:
        if isinstance(cell.workload, PluginWorkloadSettings):
            raise
        workload, on_noise = build_on_noise(cell.workload, seed=0), True
    workload = placed(workload, device)
    optimizer = build_optimizer(cell.optimizer, workload.model)
    batches = workload.batches()
    batch = next(batches)
    synchronize(device)
    ready = perf_counter()
    seconds = []
    for _ in range(num_steps):
        start = perf_counter()
        training_step(workload, optimizer, batch, closure=takes_closure(cell))
        synchronize(device)
        seconds.append(perf_counter() - start)
    return Probe(
        set_up_seconds=ready - started,
        step_seconds=tuple(seconds),
        held_out_seconds=_held_out_seconds(workload, device),
        on_noise=on_noise,
        rss_high_water_bytes=rss_high_water_bytes(),
    )


@torch.no_grad()
def _held_out_seconds(workload: Workload, device: torch.device) -> float:
    batch = next(iter(workload.source.held_out("validation")))
    workload.model.eval()
    start = perf_counter()
    workload.outputs(batch.inputs)
    synchronize(device)
    return (perf_counter() - start) / len(batch.inputs)
