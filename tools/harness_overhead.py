"""What the instruments themselves take inside a timed step: the real clock over steps that do nothing.

    python tools/harness_overhead.py

Goal: median at most 50 us, 99 % quantile at most 100 us of 10,000 steps. Shown in wall time and in CPU time of the thread.
The latter decides (exit code 1 where it misses the goal), because what interrupts a busy machine is no instrument.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns, thread_time_ns

import numpy as np

from evabench.measurement.clock import CpuClock
from evabench.measurement.phases import PhaseRecorder
from evabench.optimizers.phases import listening, phase
from evabench.records.phases import PHASES
from evabench.sampling import Sampler

Now = Callable[[], int]

NUM_STEPS = 10_000
MAX_MEDIAN_SECONDS, MAX_P99_SECONDS = 50e-6, 100e-6
LAYERS = 20  # with a hook each way, as Eva's on ResNet-20


def empty() -> None:
    """Do nothing."""


def marks() -> None:
    """Pass every mark once, and those of the hooks of so many layers."""
    for name in PHASES:
        with phase(name):
            pass
    with phase("backward"):
        for _ in range(2 * LAYERS):
            with phase("capture"):
                pass


def recorded(now: Now) -> Sequence[float]:
    """Return the seconds of each step while its marks are recorded, as a run of phases has them."""
    recorder = PhaseRecorder(now)
    steps = []
    with listening(recorder):
        for _ in range(NUM_STEPS):
            recorder.begin()
            marks()
            steps.append(sum(recorder.end().values()))
    return steps


def timed(step: Callable[[], None], now: Now) -> Sequence[float]:
    """Return the seconds of each step by the clock of a timing visit, the garbage collector at rest as there."""
    gc.collect()
    gc.disable()
    try:
        return CpuClock(now).time_steps(step, NUM_STEPS)
    finally:
        gc.enable()


def sampled(step: Callable[[], None], now: Now) -> Sequence[float]:
    """Return the same while a side thread reads every 10 ms, as in a window of energy; never beside a timed block."""
    status = Path("/proc/self/statm")
    with Sampler(status.read_text, 0.010):
        return timed(step, now)


VARIANTS: dict[str, Callable[[Now], Sequence[float]]] = {
    "clock alone": lambda now: timed(empty, now),
    f"marks that nobody hears ({len(PHASES) + 1 + 2 * LAYERS})": lambda now: timed(marks, now),
    f"marks that are recorded ({len(PHASES) + 1 + 2 * LAYERS})": recorded,
    "clock, beside a side thread that samples": lambda now: sampled(empty, now),
}


def main() -> int:
    """Print a line a variant."""
    missed = False
    print(f"{NUM_STEPS} empty steps, us{'wall: median      99 %     worst    CPU: median      99 %':>78}")
    for name, measure in VARIANTS.items():
        line = f"{name:<42}"
        for now, width in ((perf_counter_ns, 12), (thread_time_ns, 16)):
            steps = np.array(measure(now))
            median, p99 = float(np.median(steps)), float(np.quantile(steps, 0.99))
            line += f"{1e6 * median:>{width}.2f}{1e6 * p99:>10.2f}"
            line += f"{1e6 * steps.max():>10.1f}" if now is perf_counter_ns else ""
        print(line)
        # What came last is CPU time.
        missed |= median > MAX_MEDIAN_SECONDS or p99 > MAX_P99_SECONDS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
