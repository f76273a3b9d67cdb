"""What the instruments themselves take inside a timed step: the real clock over steps that do nothing.

    python tools/harness_overhead.py

Goal: median at most 50 us, 99 % quantile at most 100 us of 10,000 steps. Exits with 1 where a variant misses it; on a
machine where others keep interrupting it, that is the machine.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evabench.measurement.collector import collecting_new_objects
from evabench.measurement.timing.clock import CpuClock
from evabench.measurement.timing.phases import PhaseRecorder
from evabench.optimizers.phases import listening, phase
from evabench.records.phases import PHASES
from evabench.sampling import Sampler

NUM_STEPS = 10_000
MAX_MEDIAN_SECONDS, MAX_P99_SECONDS = 50e-6, 100e-6
LAYERS = 20  # with a hook each way, as Eva's on ResNet-20
NUM_MARKS = len(PHASES) + 1 + 2 * LAYERS


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


def timed(step: Callable[[], None]) -> Sequence[float]:
    """Return the seconds of each step by the clock of a timing visit."""
    return CpuClock().time_steps(step, NUM_STEPS).step_seconds


def recorded() -> Sequence[float]:
    """Return the seconds of each step while its marks are recorded, as a run of phases has them."""
    recorder = PhaseRecorder()
    steps = []
    with listening(recorder):
        for _ in range(NUM_STEPS):
            recorder.begin()
            marks()
            recorder.end()
            steps += [sum(parts.values()) for parts in recorder.read()]
    return steps


def sampled() -> Sequence[float]:
    """Return the same while a side thread reads every 10 ms, as in a window of energy; never beside a timed block."""
    with Sampler(Path("/proc/self/statm").read_text, 0.010):
        return timed(empty)


VARIANTS: dict[str, Callable[[], Sequence[float]]] = {
    "clock alone": lambda: timed(empty),
    f"{NUM_MARKS} marks that nobody hears": lambda: timed(marks),
    f"{NUM_MARKS} marks that are recorded": recorded,
    "clock, beside a side thread that samples": sampled,
}


def main() -> int:
    """Print a line a variant."""
    missed = False
    print(f"{f'{NUM_STEPS} empty steps, us':<42}  median      99 %     worst")
    for name, measure in VARIANTS.items():
        with collecting_new_objects():  # as in a timed block
            steps = 1e6 * np.array(measure())
        median, p99 = float(np.median(steps)), float(np.quantile(steps, 0.99))
        print(f"{name:<42}{median:>8.2f}{p99:>10.2f}{steps.max():>10.1f}")
        missed |= median > 1e6 * MAX_MEDIAN_SECONDS or p99 > 1e6 * MAX_P99_SECONDS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
