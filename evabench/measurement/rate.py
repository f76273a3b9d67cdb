"""Trials on a quadratic, one per learning rate, each to the end of its steps or to the bottom."""

import math
from collections.abc import Callable

from torch import Tensor

from evabench.errors import EvabenchError
from evabench.measurement.bench import Bench
from evabench.measurement.modes import evaluating
from evabench.records.measurement import RateSettings
from evabench.records.rate import Rate, RateTrial
from evabench.settings.quadratics import QuadraticSettings
from evabench.workloads.quadratic import Quadratic

NUM_POINTS = 24  # of a curve that is kept, the start not counted
_DIVERGED = 1e12  # times the excess at the start


def measure_rate(bench: Bench, settings: RateSettings) -> Rate:
    """Return a trial at each learning rate of the grid, each with a workload and an optimizer of its own."""
    quadratic = bench.cell.workload
    assert isinstance(quadratic, QuadraticSettings), "a suite gives no other workload a rate"
    trials = tuple(_try(bench.anew(), settings, multiple, quadratic.unit_lr) for multiple in settings.multiples)
    return Rate(unit_lr=quadratic.unit_lr, trials=trials)


def _try(bench: Bench, settings: RateSettings, multiple: float, unit_lr: float) -> RateTrial:
    optimizer = bench.optimizer
    for group in optimizer.param_groups:
        if not isinstance(group.get("lr"), int | float | Tensor):
            raise EvabenchError(f"{type(optimizer).__name__} has no learning rate to try: it knows its own")
        group["lr"] = multiple * unit_lr
    problem, (weight,) = bench.workload.objective, bench.workload.model.parameters()
    assert isinstance(problem, Quadratic)
    batch = next(bench.workload.batches())

    def excess() -> Tensor:
        with evaluating(optimizer):
            return problem.excess(weight)

    return try_rate(multiple, lambda: bench.train(batch), excess, settings)


def try_rate(
    multiple: float, step: Callable[[], object], excess: Callable[[], Tensor], settings: RateSettings
) -> RateTrial:
    """Run one trial from its start; the excess loss is read at every step, and kept at evenly spaced ones."""
    start = float(excess())
    shares: list[float | None] = [1.0]
    while len(shares) <= settings.steps:
        step()
        share = float(excess()) / start
        shares.append(float(f"{share:.6g}") if math.isfinite(share) else None)
        if shares[-1] is None or not settings.floor < share < _DIVERGED:
            break
    last = len(shares) - 1
    kept = sorted({round(last * point / NUM_POINTS) for point in range(NUM_POINTS + 1)})
    return RateTrial(multiple=multiple, steps=tuple(kept), excess=tuple(shares[step] for step in kept))
