"""Where optimizer, workload and measurement meet: one cell and one seed -> one record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from evabench.measurement.convergence import PausableClock, Training, train_to_budget
from evabench.measurement.energy.energy import measure_energy_on
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.measurement.mechanism.mechanism import watch_mechanism
from evabench.measurement.memory.memory import (
    curvature_state_bytes,
    parameter_bytes,
    rss_high_water_bytes,
    state_bytes,
    tensors_where_the_allocator_peaked,
    track_step,
)
from evabench.measurement.memory.nvml import watch_device_memory
from evabench.measurement.memory.storages import thinned
from evabench.measurement.memory.workspace import profile_workspace
from evabench.measurement.rate import try_rate
from evabench.measurement.timing.clock import find_warm_up, time_visit
from evabench.measurement.timing.cuda_clock import clock_on, marks_on
from evabench.measurement.timing.phases import time_phases
from evabench.measurement.timing.trace import profile_steps
from evabench.optimizers.build import build_optimizer
from evabench.optimizers.phases import phase
from evabench.optimizers.shell.coverage import Preconditioner, coverage
from evabench.records.convergence import Convergence
from evabench.records.health import Health
from evabench.records.measurement import (
    ConvergenceSettings,
    Measured,
    MechanismSettings,
    MemorySettings,
    PhasesSettings,
    ProbeSettings,
    ProfileSettings,
    RateSettings,
    StepTimeSettings,
    WarmUpSettings,
)
from evabench.records.mechanism import Mechanism
from evabench.records.memory import Memory
from evabench.records.phases import PhaseName
from evabench.records.rate import Rate, RateTrial
from evabench.records.request import Request
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.worker.plugin import build_plugin, build_plugin_workload
from evabench.worker.probe import probe
from evabench.workloads.build import build_workload
from evabench.workloads.quadratic import Quadratic
from evabench.workloads.schedule import ScheduledRate
from evabench.workloads.workload import Batch, Workload

# Batches are made before a timed block, and used again after so many, so that input is never part of a step's time.
_TIMED_BATCHES = 16
TIMELINE_POINTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured, and what the optimizer says of itself afterwards."""

    measured: Measured
    health: Health | None  # None: it says nothing
    preconditioned_share: float | None


def measure(request: Request) -> Finding:
    """Make the measurement that the cell asks for, then ask the optimizer for its health."""
    if isinstance(request.cell.measurement, ProbeSettings):  # it builds what it can: the data may not be here
        found = probe(request.cell, request.cell.measurement, training_step)
        return Finding(measured=found, health=None, preconditioned_share=None)
    workload = _build_workload(request.cell.workload, request.seed)
    optimizer = _build(request.cell.optimizer, workload)
    if not isinstance(request.cell.measurement, ConvergenceSettings | MechanismSettings | RateSettings):
        _slow_down(optimizer)
    measured = _measure(request, workload, optimizer)
    # The trials of a rate have optimizers of their own: this one has made no step, and would call its layers idle.
    if not isinstance(optimizer, Preconditioner) or isinstance(measured, Rate):
        return Finding(measured=measured, health=None, preconditioned_share=None)
    return Finding(measured=measured, health=optimizer.health(), preconditioned_share=coverage(optimizer).share)


def _measure(request: Request, workload: Workload, optimizer: Optimizer) -> Measured:
    cell, device = request.cell, _device(workload)
    cycle_steps = cell.optimizer.cycle_steps
    match cell.measurement:
        case WarmUpSettings() as settings:
            return find_warm_up(_timed_step(workload, optimizer), clock_on(device), settings, cycle_steps)
        case StepTimeSettings() as settings:
            step = _timed_step(workload, optimizer)
            visit = time_visit(step, clock_on(device), settings, cycle_steps, request.warmup_steps)
            energy = measure_energy_on(device, step, cycle_steps, RaplEnergy())
            # torch's own threads (more than one, or autograd's for a GPU) cannot be told from an optimizer's.
            alone = cell.threads == 1 and device.type == "cpu"
            return replace(visit, energy=energy, side_work=visit.side_work if alone else None)
        case PhasesSettings() as settings:
            return time_phases(_timed_step(workload, optimizer), settings, cycle_steps, marks_on(device))
        case ProfileSettings() as settings:
            return profile_steps(_timed_step(workload, optimizer), settings, cycle_steps)
        case MemorySettings():
            return _measure_memory(workload, optimizer, cycle_steps)
        case ConvergenceSettings() as settings:
            return _measure_convergence(workload, optimizer, settings)
        case ProbeSettings():
            raise AssertionError("a probe builds its own workload")
        case MechanismSettings() as settings:
            return _measure_mechanism(workload, optimizer, settings)
        case RateSettings() as settings:
            return _measure_rate(request, settings)
        case _:
            assert_never(cell.measurement)


def training_step(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    """Train once and return the loss of the batch: the step that every measurement means."""
    with phase("zero_grad"):
        optimizer.zero_grad(set_to_none=True)
    return _train_on(workload, optimizer, batch)


def _train_on(workload: Workload, optimizer: Optimizer, batch: Batch) -> Tensor:
    with phase("forward"):
        loss = workload.loss(batch)
    with phase("backward"):
        loss.backward()  # type: ignore[no-untyped-call]  # torch's annotation is incomplete
    with phase(_step_phase(optimizer)):
        optimizer.step()
    return loss.detach()


def _step_phase(optimizer: Optimizer) -> PhaseName:
    """Return what an optimizer's step is where it has no marks of its own."""
    if type(optimizer) in {SGD, AdamW}:  # a subclass may do anything
        return "update"
    # Ours have marks for all that they do; anybody else's need not have one.
    return "other" if type(optimizer).__module__.startswith("evabench.optimizers.") else "fused"


def _build_workload(settings: WorkloadSettings, seed: int) -> Workload:
    if isinstance(settings, PluginWorkloadSettings):
        return build_plugin_workload(settings, seed)
    return build_workload(settings, seed)


def _build(settings: OptimizerSettings, workload: Workload) -> Optimizer:
    if isinstance(settings, PluginSettings):
        return build_plugin(settings, workload.model)
    return build_optimizer(settings, workload.model)


def _slow_down(optimizer: Optimizer) -> None:
    """Divide the learning rate by 1000 where only the cost counts, which does not depend on it.

    These steps have no schedule: at its full rate an arm that was tuned with one may diverge within a visit.
    """
    for group in optimizer.param_groups:
        if "lr" in group:
            group["lr"] = group["lr"] / 1000


def _device(workload: Workload) -> torch.device:
    return next(workload.model.parameters()).device


def _timed_step(workload: Workload, optimizer: Optimizer) -> Callable[[], None]:
    stream = workload.batches()
    batches = _endless([next(stream) for _ in range(_TIMED_BATCHES)])

    def step() -> None:
        training_step(workload, optimizer, next(batches))

    return step


def _endless(batches: list[Batch]) -> Iterator[Batch]:
    while True:
        yield from batches


def _measure_memory(workload: Workload, optimizer: Optimizer, cycle_steps: int) -> Memory:
    batches = workload.batches()

    def step() -> None:
        training_step(workload, optimizer, next(batches))

    for _ in range(cycle_steps):  # the first refresh creates the state; the next step refreshes in steady state
        step()
    batch = next(batches)
    with watch_device_memory(_device(workload)) as device:
        tracker = track_step(workload.model, optimizer, batch, workload.loss)

    def to_next_refresh() -> None:
        for _ in range(cycle_steps - 1):
            step()
        optimizer.zero_grad(set_to_none=True)

    def refresh() -> None:
        _train_on(workload, optimizer, batch)
        optimizer.zero_grad(set_to_none=True)

    workspace = profile_workspace(to_next_refresh, refresh)
    return Memory(
        num_parameters=sum(parameter.numel() for parameter in workload.model.parameters()),
        parameter_bytes=parameter_bytes(workload.model),
        state_bytes=state_bytes(optimizer),
        curvature_state_bytes=curvature_state_bytes(optimizer),
        peak=tracker.peak(),
        peak_phase=tracker.peak_phase,
        peak_layer=tracker.peak_layer,
        timeline=thinned(tracker.timeline, TIMELINE_POINTS),
        allocator_peak_bytes=tracker.start_bytes + workspace.peak_over_start_bytes,
        workspace_bytes=workspace.workspace_bytes,
        workspace_operator=workspace.operator,
        tensors_there_bytes=tensors_where_the_allocator_peaked(tracker, workspace),
        rss_high_water_bytes=rss_high_water_bytes(),
        device=device.found,
        kept_bytes=workspace.kept_bytes,
        cycle_steps=cycle_steps,
    )


def _measure_mechanism(workload: Workload, optimizer: Optimizer, settings: MechanismSettings) -> Mechanism:
    batches = workload.batches()
    return watch_mechanism(
        workload.model,
        lambda model, batch: replace(workload, model=model).loss(batch),
        lambda: next(batches),
        lambda batch: training_step(workload, optimizer, batch),
        settings,
    )


def _measure_rate(request: Request, settings: RateSettings) -> Rate:
    cell = request.cell
    assert isinstance(cell.workload, QuadraticSettings), "a suite gives no other workload a rate"
    return Rate(
        unit_lr=cell.workload.unit_lr,
        trials=tuple(_try_rate(request, settings, multiple, cell.workload.unit_lr) for multiple in settings.multiples),
    )


def _try_rate(request: Request, settings: RateSettings, multiple: float, unit_lr: float) -> RateTrial:
    workload = _build_workload(request.cell.workload, request.seed)
    optimizer = _build(request.cell.optimizer, workload)
    for group in optimizer.param_groups:
        group["lr"] = multiple * unit_lr
    problem, (weight,) = workload.objective, workload.model.parameters()
    assert isinstance(problem, Quadratic)
    batch = next(workload.batches())
    return try_rate(
        multiple, lambda: training_step(workload, optimizer, batch), lambda: problem.excess(weight), settings
    )


def _measure_convergence(workload: Workload, optimizer: Optimizer, settings: ConvergenceSettings) -> Convergence:
    rate = ScheduledRate(optimizer, settings)
    batches = workload.batches()

    def step(index: int, batch: Batch) -> Tensor:
        rate.set_for(index)
        return training_step(workload, optimizer, batch)

    training = Training(next_batch=lambda: next(batches), step=step, validation=workload.validation, test=workload.test)
    return train_to_budget(training, settings, PausableClock())
