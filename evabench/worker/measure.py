"""Where optimizer, workload and measurement meet: one cell and one seed -> one record."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from evabench.measurement.bench import Bench
from evabench.optimizers.shell.coverage import LayerAware, coverage
from evabench.records.health import Health
from evabench.records.measurement import Measured, MeasurementSettings, kinds_of
from evabench.records.request import Request
from evabench.units import Seconds
from evabench.worker.build import build_cell
from evabench.worker.device import CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured, and what the optimizer says of itself afterwards."""

    measured: Measured
    health: Health | None  # None: it says nothing
    preconditioned_share: float | None
    setup_seconds: Seconds | None


def measure(request: Request, device: torch.device = CPU) -> Finding:
    """Make the measurement that the cell asks for, then ask the optimizer for its health."""
    cell = request.cell
    bench = Bench(cell=cell, seed=request.seed, warmup_steps=request.warmup_steps, build=build_cell, device=device)
    measured = MEASURED_BY[type(cell.measurement)](bench, cell.measurement)
    optimizer: object = bench.built_optimizer
    if not isinstance(optimizer, LayerAware):
        return Finding(measured=measured, health=None, preconditioned_share=None, setup_seconds=bench.setup_seconds)
    return Finding(
        measured=measured,
        health=optimizer.health(),
        preconditioned_share=coverage(optimizer).share,
        setup_seconds=bench.setup_seconds,
    )


def _function(place: str) -> Callable[[Bench, Any], Measured]:
    module, _, name = place.partition(":")
    found: Callable[[Bench, Any], Measured] = getattr(importlib.import_module(module), name)
    return found


# Imported with this file, by the launch server: a child that had to import would not be fresh and quick.
MEASURED_BY: dict[type, Callable[[Bench, Any], Measured]] = {
    kind: _function(kind.measured_by) for kind in kinds_of(MeasurementSettings).values()
}
