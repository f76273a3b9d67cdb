"""Memory of a device (point 1): the tracker against the allocator, the allocator against NVML, and the context."""

from typing import Any

import torch

from evabench.measurement.memory.device_workspace import CudaAllocator, watch_device_workspace
from evabench.measurement.memory.memory import (
    curvature_state_bytes,
    tensors_where_the_allocator_peaked,
    track_step,
)
from evabench.measurement.memory.nvml import watch_device_memory
from evabench.measurement.memory.storages import StorageTracker
from evabench.measurement.memory.workspace import Workspace
from evabench.nvml.library import Nvml
from evabench.nvml.processes import own_bytes, processes_of, read_own_pids
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE, RESNET, start

TRACKED = ("SGD", "AdamW", "Eva", "Eva-f", "Eva-s", "K-FAC@1", "FOOF@1", "Shampoo@1", "M-FAC")
_MIB = 1 << 20


def tracker_and_allocator(bench: Bench) -> Answer:
    """Compare the peak of live tensors in a step with the allocator's, for every optimizer on two nets."""
    rows = []
    for net in (AE, RESNET):
        for arm in TRACKED:
            rows.append({"net": net, "arm": arm, **tracked(bench, net, arm)})
            bench.release()
    apart = [abs(row["unexplained"]) for row in rows if row["unexplained"] is not None]
    beyond = [
        f"{row['net']}: {row['arm']} {row['unexplained']:+.3f}" for row in rows if abs(row["unexplained"] or 0) > 0.01
    ]
    return Answer(
        answer="not tried" if not apart else yes_if(not beyond),
        figure=f"{len(rows) - len(beyond)} of {len(rows)} agree within 1 %; the others: {'; '.join(beyond) or 'none'}",
        rule="what the allocator was asked for at its peak is, within 1 %, the tensors alive in that operator, "
        "its workspace, and what libraries held when the step began",
        rows=tuple(rows),
    )


def tracked(bench: Bench, net: str, arm: str) -> dict[str, Any]:
    """Return the peak of one step as the tracker and as the allocator has it, in MiB."""
    training = start(bench, net, arm)
    training.cycles(2)
    training.optimizer.zero_grad(set_to_none=True)
    bench.release()
    statistics = _allocator(bench, reset=True)
    held, requested = statistics["allocated"], statistics["requested"]
    tracker = track_step(training.workload.model, training.optimizer, training.batch, training.workload.loss)
    statistics = _allocator(bench)
    workspace = None
    if not bench.dry:
        training.optimizer.zero_grad(set_to_none=True)
        workspace = watch_device_workspace(CudaAllocator(bench.device), lambda: None, training.step)
    plain = _plain_peak(bench, training)
    tensors, begin = tracker.peak().total, tracker.start_bytes
    # What lay beside the tensors that the tracker knows: workspaces of cuBLAS, which torch keeps for good.
    peak = None if held is None else statistics["peak"] - (held - begin)
    peak_requested = None if requested is None else statistics["peak_requested"] - (requested - begin)
    return {
        "tensors MiB": round(tensors / _MIB, 3),
        "allocator MiB": None if peak is None else round(peak / _MIB, 3),
        **_explained(tracker, workspace),
        "apart": None if peak is None else round(peak / tensors - 1, 5),
        "apart, as requested": None if peak_requested is None else round(peak_requested / tensors - 1, 5),
        "beside tensors MiB": None if held is None else round((held - begin) / _MIB, 3),
        "untracked step MiB": None if plain is None or held is None else round((plain - (held - begin)) / _MIB, 3),
        "peak in": f"{tracker.peak_phase} {tracker.peak_layer or ''}",
        "curvature MiB": round(curvature_state_bytes(training.optimizer) / _MIB, 3),
    }


def _explained(tracker: StorageTracker, workspace: Workspace | None) -> dict[str, Any]:
    """Return what of the allocator's peak neither tensors nor an operator's workspace nor libraries explain."""
    if workspace is None:
        return dict.fromkeys(("in operator", "workspace MiB", "unexplained"))
    there = tensors_where_the_allocator_peaked(tracker, workspace)
    tensors = tracker.peak().total if there is None else there
    peak = tracker.start_bytes + workspace.peak_over_start_bytes
    return {
        "in operator": f"{workspace.operator}{'' if there is not None else ' (the two steps differ)'}",
        "workspace MiB": round(workspace.workspace_bytes / _MIB, 3),
        "unexplained": round(peak / (tensors + workspace.workspace_bytes) - 1, 5),
    }


def _plain_peak(bench: Bench, training: Any) -> int | None:
    training.optimizer.zero_grad(set_to_none=True)
    _allocator(bench, reset=True)
    training.step()
    return _allocator(bench)["peak"]


def _allocator(bench: Bench, *, reset: bool = False) -> dict[str, Any]:
    if bench.dry:
        return dict.fromkeys(("allocated", "requested", "peak", "peak_requested"))
    bench.synchronize()
    if reset:
        torch.cuda.reset_peak_memory_stats()
    statistics = torch.cuda.memory_stats()
    return {
        "allocated": statistics["allocated_bytes.all.current"],
        "requested": statistics.get("requested_bytes.all.current"),
        "peak": statistics["allocated_bytes.all.peak"],
        "peak_requested": statistics.get("requested_bytes.all.peak"),
    }


def nvml_and_allocator(bench: Bench) -> Answer:
    """Follow NVML's figures from before there is a context to training; compare them with torch's reserve."""
    with Nvml() as nvml:
        gpu = _first_gpu(bench, nvml)
        own = read_own_pids()
        stages: list[dict[str, Any]] = []

        def look(stage: str) -> None:
            bench.synchronize()
            listed = None if gpu is None else processes_of(gpu)
            mine = None if listed is None else own_bytes(gpu, own, listed)
            reserved = 0 if bench.dry or stage == "no context" else torch.cuda.memory_reserved()
            used = None if gpu is None else gpu.used_bytes()
            stages.append({"stage": stage, "device": used, "process": mine, "reserved": reserved})

        if gpu is not None and not bench.dry:
            listed = processes_of(gpu)
            stages.append(
                {"stage": "no context", "device": gpu.used_bytes(), "process": None, "reserved": 0, "listed": listed}
            )
        x = torch.ones(64, 64, device=bench.device)
        look("context")
        x @ x
        look("a product (cuBLAS)")
        torch.nn.functional.conv2d(x.view(1, 1, 64, 64), x.view(-1)[:9].view(1, 1, 3, 3))
        look("a convolution (cuDNN)")
        training = start(bench, RESNET, "Eva")
        training.at_least(5)
        look("training")
        missing = nvml.missing
    with watch_device_memory(bench.device) as peak:
        training.at_least(bench.few(100, 3))
    return _memory_answer(stages, peak.found, missing)


def _first_gpu(bench: Bench, nvml: Nvml) -> Any:
    """Return the device without making a context, which torch's properties may do."""
    from evabench.nvml.devices import all_gpus

    return next(iter(all_gpus(nvml)), None)


def _memory_answer(stages: list[dict[str, Any]], found: Any, missing: tuple[str, ...]) -> Answer:
    by_stage = {stage["stage"]: stage for stage in stages}
    first, last = by_stage.get("no context"), by_stage["training"]
    outside = None
    if first and last["device"] is not None and first["device"] is not None:
        outside = last["device"] - first["device"] - last["reserved"]
    known = (found.allocated_bytes, found.reserved_bytes, found.device_bytes)
    ordered = None not in known and found.allocated_bytes <= found.reserved_bytes <= found.device_bytes
    process = found.process_bytes
    if process is not None and ordered:
        ordered = found.reserved_bytes <= process <= found.device_bytes
    values = {name: getattr(found, name) for name in ("allocated_bytes", "reserved_bytes", "process_bytes")}
    values |= {"device_bytes": found.device_bytes, "device_bytes_before": found.device_bytes_before}
    return Answer(
        answer="not tried" if None in known else yes_if(ordered),
        figure=f"allocated {_mib(known[0])}, reserved {_mib(known[1])}, process {_mib(process)}, "
        f"device {_mib(known[2])}; context and libraries outside torch's reserve: {_mib(outside)}",
        rule="allocated <= reserved <= process (where NVML tells it) <= device",
        rows=tuple(
            {name: _mib(cell) if name in ("device", "process", "reserved") else str(cell) for name, cell in one.items()}
            for one in stages
        ),
        values={**values, "outside_bytes": outside, "missing": (*missing, *found.missing)},
    )


def _mib(num_bytes: int | None) -> str:
    return "not measured" if num_bytes is None else f"{num_bytes / _MIB:.1f} MiB"
