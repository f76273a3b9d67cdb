"""The energy counter of a GPU against the integral of its power (point 5)."""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter, sleep
from typing import Any

import torch

from evabench.measurement.energy.energy import measure_energy_on
from evabench.measurement.energy.rapl import RaplEnergy
from evabench.nvml.library import Nvml
from tools.gpu_check.answer import Answer, yes_if
from tools.gpu_check.bench import Bench
from tools.gpu_check.trainings import AE, WIDE, start


def counter_and_integral(bench: Bench) -> Answer:
    """Measure windows of 1 s and of 2.5 s: idle, with a light load, with a heavy one, and right behind a pause."""
    light, heavy = start(bench, AE, "Eva"), start(bench, WIDE, "SGD")
    for training in (light, heavy):
        training.at_least(10)
    loads = {"idle": lambda: sleep(0.05), "light": light.step, "heavy": heavy.step}
    long, short = (2.5, 1.0) if not bench.dry else (0.2, 0.1)
    rows = []
    for load, seconds, before in (
        ("idle", long, 2.0),
        ("idle", long, 0.0),
        ("light", long, 0.0),
        ("light", long, 0.0),
        ("heavy", long, 1.5),  # a pause: the power is a running average, and begins low
        ("heavy", long, 0.0),
        ("heavy", long, 0.0),
        ("heavy", short, 0.0),
        ("heavy", short, 1.5),
        ("idle", short, 0.0),
    ):
        bench.synchronize()
        sleep(0 if bench.dry else before)
        rows.append(_window(bench, load, loads[load], seconds, before))
    renewals = _renewals(bench, heavy.step)
    steady = [row for row in rows if row["asked s"] >= long and not row["pause s"] and row["load"] != "idle"]
    apart = [row["counter/integral - 1"] for row in steady if row["counter/integral - 1"] is not None]
    return Answer(
        answer="not tried" if not apart else yes_if(max(map(abs, apart)) <= 0.1),
        figure=f"steady windows of {long:g} s differ by {apart}; the counter moves every {renewals['counter_ms']} ms, "
        f"the power every {renewals['power_ms']} ms (medians)",
        rule="in windows of 2 s and more under a steady load counter and integral agree within 10 %",
        rows=tuple(rows),
        values=renewals,
    )


def _window(bench: Bench, load: str, step: Callable[[], object], seconds: float, pause: float) -> dict[str, Any]:
    probe = bench.clock.time_steps(step, 3).block_seconds / 3
    cycle_steps = max(1, round(seconds / probe))  # one cycle is the window
    energy = measure_energy_on(bench.device, step, cycle_steps, RaplEnergy())
    reading = next((one for one in energy.readings if one.source == "gpu"), None)
    joules = None if reading is None else reading.counter_joules
    return {
        "load": load,
        "pause s": pause,
        "asked s": seconds,
        "window s": None if energy.seconds is None else round(energy.seconds, 3),
        "counter J": joules,
        "integral J": None if reading is None or reading.integral_joules is None else round(reading.integral_joules, 2),
        "counter/integral - 1": None
        if reading is None or reading.disagreement is None
        else round(reading.disagreement, 4),
        "in doubt": None if reading is None else reading.in_doubt,
        "W by counter": None if joules is None or not energy.seconds else round(joules / energy.seconds, 1),
        "missing": "; ".join(energy.missing),
    }


def _renewals(bench: Bench, step: Callable[[], object]) -> dict[str, Any]:
    """Return how often both readings change while the device works, by looking as often as can be."""
    seen: dict[str, list[tuple[float, float]]] = {"counter": [], "power": []}
    with Nvml() as nvml:
        gpu = bench.gpu(nvml)
        begun = perf_counter()
        while gpu is not None and perf_counter() - begun < (2.0 if not bench.dry else 0.05):
            if bench.dry or torch.cuda.current_stream().query():  # it has nothing left to do
                step()
                step()
            for name, ask in (("counter", gpu.energy), ("power", gpu.power)):
                value, now = ask(), perf_counter()
                if value is not None and (not seen[name] or seen[name][-1][1] != value):
                    seen[name].append((now, value))
            sleep(0.001)
    return {f"{name}_ms": _median_gap(times) for name, times in seen.items()} | {
        f"{name}_changes": len(times) for name, times in seen.items()
    }


def _median_gap(times: list[tuple[float, float]]) -> float | None:
    gaps = sorted(later[0] - earlier[0] for earlier, later in pairwise(times))
    return round(1e3 * gaps[len(gaps) // 2], 2) if gaps else None
