"""Memory that can be counted: the bytes of the state, and what is alive over one step."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves

from evabench.measurement.bench import Bench
from evabench.measurement.memory.device_workspace import allocator_of, watch_device_workspace
from evabench.measurement.memory.nvml import watch_device_memory
from evabench.measurement.memory.state import curvature_state_bytes, first_moments, state_bytes, state_tensors
from evabench.measurement.memory.storages import StorageTracker, storage_bytes, thinned
from evabench.measurement.memory.workspace import Workspace, profile_workspace
from evabench.measurement.resident import rss_high_water_bytes
from evabench.measurement.step import closure_of, train_on
from evabench.measurement.trained_steps import TrainedSteps, at_a_rate_that_holds
from evabench.records.measurement import MemorySettings
from evabench.records.memory import Memory
from evabench.units import Bytes
from evabench.workloads.loss_scaling import go_backward, make_step

Batch = TypeVar("Batch")  # a tensor, or a tuple of tensors

TIMELINE_POINTS = 400


def measure_memory(bench: Bench, settings: MemorySettings) -> Memory:
    """Return the bytes of the state, and of the second refresh: the first one creates the state."""
    found = at_a_rate_that_holds(bench, lambda steps: _measure_memory(bench, steps), streamed=True)
    return replace(found, rate_share=bench.rate_share)


def _measure_memory(bench: Bench, steps: TrainedSteps) -> Memory:
    workload, optimizer, cycle_steps = bench.workload, bench.optimizer, bench.cycle_steps
    for _ in range(cycle_steps):
        steps.step()
    steps.check()
    batch = steps.next_batch()
    optimizer.zero_grad(set_to_none=True)  # gradients are none of what libraries hold
    on_device = bench.device.type != "cpu"
    with watch_device_memory(bench.device) as device:
        held = allocator_of(bench.device).current() if on_device else None
        tracker = track_step(
            workload.model, optimizer, batch, workload.loss, closure=bench.closure, scaler=workload.scaler
        )

    def to_next_refresh() -> None:
        for _ in range(cycle_steps - 1):
            steps.step()
        steps.check()
        optimizer.zero_grad(set_to_none=True)

    def refresh() -> None:
        if bench.closure:
            bench.train(batch)
        else:
            train_on(workload, optimizer, batch)
        optimizer.zero_grad(set_to_none=True)

    if on_device:
        workspace = watch_device_workspace(allocator_of(bench.device), to_next_refresh, refresh)
    else:
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
        device=replace(
            device.found,
            data_bytes=workload.resident_bytes if on_device else None,
            library_bytes=None if held is None else held - tracker.start_bytes - workload.resident_bytes,
        ),
        kept_bytes=workspace.kept_bytes,
        cycle_steps=cycle_steps,
    )


def track_step(
    model: nn.Module,
    optimizer: Optimizer,
    batch: Batch,
    loss_of: Callable[[Batch], Tensor],
    *,
    closure: bool = False,
    scaler: GradScaler | None = None,
) -> StorageTracker:
    """Run one training step under a tracker and return it. `loss_of(batch)` is the forward pass with its loss.

    Of an optimizer that calls a closure the whole step is in the phase "optimizer", its activations among the
    temporaries: its passes are no phases of the step.
    """
    tracker = StorageTracker()
    optimizer.zero_grad(set_to_none=True)
    parameters = list(model.parameters())
    tracker.expect([*parameters, *model.buffers()], "parameters")
    _expect_state(tracker, optimizer)
    tracker.expect(tree_leaves(batch), "batch")
    tracker.begin()
    with tracker.layers_of(model):
        if closure:
            _step_by_closure(tracker, optimizer, lambda: loss_of(batch))
        else:
            _step(tracker, optimizer, parameters, lambda: loss_of(batch), scaler)
    _expect_state(tracker, optimizer)
    with tracker.phase("optimizer"):
        optimizer.zero_grad(set_to_none=True)
    return tracker


def _step(
    tracker: StorageTracker,
    optimizer: Optimizer,
    parameters: list[nn.Parameter],
    loss_of: Callable[[], Tensor],
    scaler: GradScaler | None,
) -> None:
    with tracker.phase("forward"):
        loss = loss_of()
    with tracker.phase("backward"):
        go_backward(loss, scaler)
    tracker.expect([p.grad for p in parameters if p.grad is not None], "gradients")
    with tracker.phase("optimizer"):  # the loss is alive here too, as in any training loop that reports it
        make_step(optimizer, scaler)


def _step_by_closure(tracker: StorageTracker, optimizer: Optimizer, loss_of: Callable[[], Tensor]) -> None:
    def both_passes() -> Tensor:
        loss = loss_of()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's annotation is incomplete
        return loss

    with tracker.phase("optimizer"):
        optimizer.step(closure_of(optimizer, both_passes))  # type: ignore[arg-type]  # torch's annotation wants floats


def tensors_where_the_allocator_peaked(tracker: StorageTracker, workspace: Workspace) -> Bytes | None:
    """Return the tensors alive there, of which the tracker knows; None where the two steps were not the same.

    The allocator may peak elsewhere than the tensors: in an operator with a large workspace.
    """
    if workspace.operator is None or workspace.operator_number is None:
        return tracker.peak().total
    return tracker.bytes_at(workspace.operator_number, workspace.operator)


def _expect_state(tracker: StorageTracker, optimizer: Optimizer) -> None:
    tracker.expect(state_tensors(optimizer, frozenset()), "statistics")
    tracker.expect(first_moments(optimizer), "optimizer_state")


def parameter_bytes(model: nn.Module) -> Bytes:
    """Return the bytes of the parameters, each storage once."""
    return sum(storage_bytes(model.parameters()).values())
