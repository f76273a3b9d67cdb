"""What a look at NVML costs, alone and beside training (point 2)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median
from time import perf_counter, sleep
from typing import Any

import torch

from evabench.measurement.memory.nvml import watch_device_memory
from evabench.nvml.devices import Device
from evabench.nvml.library import Nvml
from evabench.nvml.processes import processes_of
from evabench.stats.paired import PairedRatio
from evabench.units import format_ratio
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE_SMALL, Training, start

_PERIOD = 0.01  # of the looks at memory


def look_cost(bench: Bench) -> Answer:
    """Time 200 looks at each figure while the device works, and training with and without the sampler."""
    training = start(bench, AE_SMALL, "Eva")
    training.at_least(20)
    with Nvml() as nvml:
        gpu = bench.gpu(nvml)
        rows = [] if gpu is None else [_costs(bench, name, ask) for name, ask in _figures(gpu)]
        looks_ms = sum(row["median ms"] for row in rows if row["figure"] in ("memory", "processes"))
    sampled, plain, sampling = _beside_training(bench, training)
    ratio = PairedRatio(arm_values=sampled, base_values=plain)
    words = format_ratio(ratio.estimate, ratio.low, ratio.high)
    busy = sampling["busy_share"]
    return Answer(
        answer="no" if gpu is None else yes_if(ratio.low <= 1.01 and looks_ms < 1e3 * _PERIOD / 4),
        figure=f"a look at memory and processes takes {looks_ms:.3f} ms of every {1e3 * _PERIOD:g}; steps beside the "
        f"sampler cost {words} of steps without; the sampler kept a mean gap of {sampling['mean_gap_ms']} ms (longest "
        f"{sampling['longest_gap_ms']}), and was busy for {busy} of the time",
        rule="a look takes less than a quarter of its period, and the steps beside it are not shown to be 1 % slower",
        rows=tuple(rows),
        values={"sampled_seconds": sampled, "plain_seconds": plain, "sampling": sampling},
    )


def _figures(gpu: Device) -> tuple[tuple[str, Callable[[], Any]], ...]:
    return (
        ("memory", gpu.used_bytes),
        ("processes", lambda: processes_of(gpu)),
        ("utilisation", gpu.utilisation),
        ("SM clock", gpu.sm_clock),
        ("memory clock", gpu.memory_clock),
        ("reasons of the clocks", gpu.clock_limits),
        ("power", gpu.power),
        ("energy", gpu.energy),
    )


def _costs(bench: Bench, name: str, ask: Callable[[], Any]) -> dict[str, Any]:
    seconds = []
    x = torch.ones(1 << 20, device=bench.device)
    for _ in range(bench.few(200, 20)):
        for _ in range(20):  # the device has something to do
            x.mul_(1.0)
        begun = perf_counter()
        value = ask()
        seconds.append(perf_counter() - begun)
        sleep(0.0005)
    return {
        "figure": name,
        "median ms": round(1e3 * median(seconds), 4),
        "max ms": round(1e3 * max(seconds), 4),
        "last value": str(value),
    }


def _beside_training(bench: Bench, training: Training) -> tuple[tuple[float, ...], tuple[float, ...], dict[str, Any]]:
    """Return the seconds of blocks with and without the sampler, in turn, and what the sampler says of itself."""
    num_steps = bench.few(150, 10)
    spent: dict[bool, list[float]] = {True: [], False: []}
    looks: list[Any] = []
    training.at_least(num_steps)
    for pair in range(bench.few(9, 2)):
        for watched in (True, False) if pair % 2 else (False, True):
            watch: AbstractContextManager[Any] = watch_device_memory(bench.device) if watched else nullcontext()
            with watch as peak:
                block = bench.clock.time_steps(training.step, num_steps)
            spent[watched].append(block.block_seconds)
            if watched and peak.found.sampling:
                looks.append(peak.found.sampling)
    busy = sum(one.busy_seconds for one in looks)
    sampling = {
        "num_samples": sum(one.num_samples for one in looks),
        "mean_gap_ms": _ms(median(one.mean_gap_seconds for one in looks)) if looks else None,
        "longest_gap_ms": _ms(max(one.longest_gap_seconds for one in looks)) if looks else None,
        "busy_share": round(busy / sum(spent[True]), 4) if looks else None,
    }
    return tuple(spent[True]), tuple(spent[False]), sampling


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)
