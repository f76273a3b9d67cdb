"""Forward and backward pass alone, between steps of an arm: no step of training can take less than they do.

A fresh net has no hooks, no patches and no parameter that an optimizer knows.
"""

from dataclasses import replace
from time import process_time_ns

from evabench.measurement.bench import Bench
from evabench.measurement.timing.clock import Clock, CpuClock
from evabench.measurement.trained_steps import TrainedSteps
from evabench.measurement.watch.untouched_net import fresh_model
from evabench.records.checks import PassesAlone
from evabench.units import Seconds

_ROUNDS = 3  # of passes, then steps: what disturbs one side disturbs the other, and the fastest of each are compared
_STEPS_PER_ROUND = 2


def time_passes_alone(bench: Bench, steps: TrainedSteps, clock: Clock) -> PassesAlone | None:
    """Return the seconds of both passes, and of steps between; None where the net cannot be built once more.

    Of a compiled net neither: what it takes without hooks would have to be compiled too.

    On a CPU it is CPU time, which other programs hardly change.
    """
    if not clock.has_latencies:
        clock = CpuClock(now=process_time_ns)
    fresh = None if bench.closure or bench.cell.workload.compiled else fresh_model(bench)
    if fresh is None:
        return None
    model = fresh.to(bench.device).train()
    workload = replace(bench.workload, model=model)

    def passes() -> None:
        model.zero_grad(set_to_none=True)
        workload.backward(workload.loss(steps.next_batch()))

    found: tuple[list[Seconds], list[Seconds]] = ([], [])
    clock.time_steps(passes, 1)  # memory is found, and kernels are chosen
    for _ in range(_ROUNDS):
        for seconds, work in zip(found, (passes, steps.step), strict=True):
            seconds += clock.time_steps(work, _STEPS_PER_ROUND).step_seconds
    return PassesAlone(passes_seconds=tuple(found[0]), step_seconds=tuple(found[1]))
