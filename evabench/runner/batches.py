"""The largest batch of each workload and arm that fits a device, projected by children of one launch server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import monotonic

from evabench.launch.launcher import Launch, Launcher
from evabench.launch.server import LaunchServer
from evabench.records.cell import Cell
from evabench.records.measurement import ProbeSettings
from evabench.records.probe import BatchProjection, Probe
from evabench.records.request import Request
from evabench.runner.session import Session, perform
from evabench.units import Seconds

_LONGEST_SECONDS = 60.0  # of one child: some eight steps on fake tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestBatch:
    """What was projected for one workload with one arm."""

    cell: Cell
    projection: BatchProjection | None
    why_not: str | None = None  # there is no projection


def project_batches(
    cells: Iterable[Cell],
    *,
    max_seconds: Seconds,
    device_index: int,
    done: Callable[[], None] = lambda: None,
    launch: Launch = LaunchServer,
) -> tuple[LargestBatch, ...]:
    """Project the largest batch of each workload and arm, as far as the time goes."""
    pairs = tuple({(cell.workload_name, cell.arm): cell for cell in cells}.values())
    end = monotonic() + max_seconds

    def project(server: Launcher, cell: Cell) -> LargestBatch:
        left = end - monotonic()
        found = LargestBatch(cell=cell, projection=None, why_not="the time for probes was over")
        if left > 0:
            found = _project(server, cell, min(left, _LONGEST_SECONDS), device_index)
        done()
        return found

    return tuple(perform(Session(layout="batches", runs=pairs), launch, project)) if pairs and max_seconds else ()


def _project(server: Launcher, cell: Cell, timeout_seconds: Seconds, device_index: int) -> LargestBatch:
    request = Request(
        cell=replace(cell, measurement=ProbeSettings(largest_batch=True)),
        seed=0,
        warmup_steps=0,
        timeout_seconds=timeout_seconds,
        device_index=device_index,
    )
    reply = server.perform(request)
    if isinstance(reply.measured, Probe):
        found = reply.measured.batch
        why_not = "the device does not tell its memory, or the arm cannot be looked at" if found is None else None
        return LargestBatch(cell=cell, projection=found, why_not=why_not)
    return LargestBatch(cell=cell, projection=None, why_not=f"{reply.outcome.kind}: {reply.outcome.reason}")
