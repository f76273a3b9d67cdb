"""A quick look at one workload and arm: bytes on fake tensors, then seconds of a few real steps."""

from time import perf_counter

import torch

from evabench.errors import DataError
from evabench.measurement.bench import Bench, takes_closure
from evabench.measurement.device import synchronize
from evabench.measurement.resident import rss_high_water_bytes
from evabench.measurement.step import training_step
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.probe import Probe
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.worker.build import build_optimizer, build_workload
from evabench.worker.fake_step import peak_on_fake_tensors
from evabench.worker.largest_batch import project_batch
from evabench.workloads.noise import build_on_noise
from evabench.workloads.placed import placed
from evabench.workloads.workload import Workload


def measure_probe(bench: Bench, settings: ProbeSettings) -> Probe:
    """Return the bytes of a step, the seconds of so many where real ones are asked for, or the largest batch.

    The workload and the optimizer of the bench stay unbuilt: the data may not be here.
    """
    cell = bench.cell
    if settings.largest_batch:
        return Probe(batch=project_batch(bench))
    if settings.build_only:
        return _build(cell)
    return _count_bytes(cell) if settings.real_steps == 0 else _time_steps(cell, settings.real_steps, bench.device)


def _build(cell: Cell) -> Probe:
    """Make the workload and the optimizer: what a plug-in raises says that its arm cannot be run."""
    if isinstance(cell.workload, PluginWorkloadSettings):
        build_optimizer(cell.optimizer, build_workload(cell.workload, 0).model)
        return Probe()
    build_optimizer(cell.optimizer, build_on_noise(cell.workload, seed=0).model)
    return Probe(on_noise=True)


def _count_bytes(cell: Cell) -> Probe:
    """Return the peak on fake tensors, so that a net larger than this machine can be looked at."""
    before = rss_high_water_bytes()
    for plain in (False, True):
        try:
            peak = peak_on_fake_tensors(cell, plain=plain)
        except Exception:  # whatever a foreign optimizer does on fake tensors: SGD takes its place
            continue
        return Probe(peak_bytes=peak, plain_optimizer=plain, on_noise=True, rss_high_water_bytes=before)
    return Probe(rss_high_water_bytes=before)


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
