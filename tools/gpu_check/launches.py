"""Counts what the host queues in a step, and how long the device is busy with it."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.clock import lag_in_steps, visit_of
from tools.gpu_check.trainings import AE, RESNET, WIDE, start

ARMS = (
    "SGD",
    "SGD, fused",
    "AdamW",
    "AdamW, fused",
    "Eva",
    "Eva-f",
    "Eva-s",
    "M-FAC",
    "K-FAC@10",
    "FOOF@10",
    "Shampoo@10",
)
_STEP = "gpu-check step"
_LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaLaunchCooperativeKernel")  # and ...ExC, ...Ex
_WAITS = ("cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize")


def counted(bench: Bench) -> Answer:
    """Count launches in plain steps and refreshes, and compare the device's busy share with the host-bound flag."""
    rows = []
    for net in (AE, RESNET, WIDE):
        for arm in ARMS if net != WIDE else ("SGD", "Eva"):
            rows.append({"net": net, "arm": arm, **_counted(bench, net, arm)})
            bench.release()
    base = {row["net"]: row["launches"] for row in rows if row["arm"] == "SGD"}
    beyond = [
        f"{row['net']}: {row['arm']} {row['launches'] - base[row['net']]:g}"
        for row in rows
        if row["arm"] not in ("SGD",)
    ]
    wrong = [
        f"{row['net']}: {row['arm']}"
        for row in rows
        if row["host bound"] is not None and row["busy share"] and row["host bound"] != (row["busy share"] < 0.9)
    ]
    return Answer(
        answer=yes_if(not wrong) if any(row["busy share"] for row in rows) else "not tried",
        figure=f"launches of a plain step beyond SGD's: {'; '.join(beyond)}; the flag contradicts the busy share in: "
        f"{wrong or 'none'}",
        rule="a step is called host-bound exactly where its kernels take less than 0.9 of its time",
        rows=tuple(rows),
    )


def _counted(bench: Bench, net: str, arm: str) -> dict[str, Any]:
    training = start(bench, net, arm)
    cycle = training.cycle_steps
    training.at_least(bench.few(10, 1))
    num_steps = -(-bench.few(20, 1) // cycle) * cycle
    visit = visit_of(bench.clock.time_steps(training.step, num_steps), cycle)
    events = traced(bench, training.step, max(cycle, 3) if cycle == 1 else cycle)
    steps = counts_of(events)
    plain, refresh = (steps[1:], steps[:1]) if cycle > 1 else (steps, [])
    kernel_seconds = sum(step["kernel_seconds"] for step in steps) / max(1, len(steps))
    return {
        "layers": sum(parameter.ndim > 1 for parameter in training.workload.model.parameters()),
        "tensors": len(list(training.workload.model.parameters())),
        "launches": _mean(plain, "launches"),
        "launches of a refresh": _mean(refresh, "launches") if refresh else None,
        "copies and fills": _mean(plain, "copies"),
        "waits": _mean(plain, "waits"),
        "operators": _mean(plain, "operators"),
        "kernels ms": round(1e3 * kernel_seconds, 4),
        "step ms": round(1e3 * visit.amortised_seconds, 4),
        "busy share": round(kernel_seconds / visit.amortised_seconds, 3),
        "lag / step": None if visit.host_seconds is None else round(lag_in_steps(visit), 3),
        "host bound": visit.host_bound,
    }


def _mean(steps: list[dict[str, float]], what: str) -> float:
    return round(sum(step[what] for step in steps) / max(1, len(steps)), 1)


def traced(bench: Bench, step: Any, num_steps: int) -> list[dict[str, Any]]:
    """Return the trace of steps as Chrome's format has it, each step awaited so that its kernels are its own."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (not bench.dry)
    with profile(activities=activities):  # what the profiler sets up once
        torch.ones(1, device=bench.device).add_(1)
    bench.synchronize()
    with profile(activities=activities) as profiler:
        for _ in range(num_steps):
            with record_function(_STEP):
                step()
            bench.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return events


def counts_of(events: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return what each step queued: runtime calls and operators begun inside its range; kernels by where they lie.

    A step is awaited behind its range, so that its kernels end before the next one begins.
    """
    whole = [event for event in events if event.get("ph") == "X"]
    spans = sorted(
        (event["ts"], event["ts"] + event["dur"])
        for event in whole
        if event["name"] == _STEP and event.get("cat") == "user_annotation"
    )
    found = []
    for number, (begin, end) in enumerate(spans):
        next_begin = spans[number + 1][0] if number + 1 < len(spans) else float("inf")
        calls = [event for event in whole if begin <= event["ts"] <= end]
        kinds = Counter(kind for event in calls if (kind := _kind(event)))
        kernels = [event for event in whole if event.get("cat") == "kernel" and begin <= event["ts"] < next_begin]
        found.append(
            {
                "launches": kinds["launches"],
                "copies": kinds["copies"],
                "waits": kinds["waits"],
                "operators": kinds["operators"],
                "kernels": len(kernels),
                "kernel_seconds": sum(event["dur"] for event in kernels) / 1e6,
            }
        )
    return found


def _kind(event: dict[str, Any]) -> str | None:
    category, name = event.get("cat"), event["name"]
    if category == "cpu_op":
        return "operators"
    if category not in ("cuda_runtime", "cuda_driver"):
        return None
    if name.startswith(_LAUNCHES):
        return "launches"
    if name.startswith(("cudaMemcpy", "cudaMemset")):
        return "copies"
    return "waits" if name.startswith(_WAITS) else None
