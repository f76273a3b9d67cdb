"""The parts of a step, timed by the marks that it passes."""

import gc
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from time import perf_counter_ns

from evabench.optimizers.phases import listening
from evabench.records.phases import PhaseName, Phases
from evabench.settings.measurement import PhasesSettings
from evabench.units import Seconds


class PhaseRecorder:
    """Reads the clock at every mark, and gives the time since the last one to the part that was running.

    So the parts are exclusive, and add up to the time between `begin` and `end` exactly.
    """

    def __init__(self, now: Callable[[], int] = perf_counter_ns) -> None:
        self._now = now
        # Only noted inside the step, and added up behind it: two stores and a reading of the clock a mark.
        self._marks: list[PhaseName | None] = []  # None: the innermost part ends
        self._readings: list[int] = []

    def begin(self) -> None:
        """Start a step; until the first mark it is "other"."""
        self._marks = ["other"]
        self._readings = [self._now()]

    def end(self) -> dict[PhaseName, Seconds]:
        """Return the parts of the step in seconds."""
        self.leave()
        running: list[PhaseName] = []
        spent: defaultdict[PhaseName, int] = defaultdict(int)
        for mark, (start, end) in zip(self._marks, pairwise(self._readings), strict=False):
            if mark is None:
                running.pop()
            else:
                running.append(mark)
            spent[running[-1]] += end - start
        assert len(running) == 1, f"a mark was not closed: {running[1:]}"
        return {name: nanoseconds / 1e9 for name, nanoseconds in spent.items()}

    def enter(self, name: PhaseName) -> None:
        """Begin a part inside the present one."""
        self._marks.append(name)
        self._readings.append(self._now())

    def leave(self) -> None:
        """Return to the part around."""
        self._marks.append(None)
        self._readings.append(self._now())


def time_phases(
    step: Callable[[], None],
    settings: PhasesSettings,
    cycle_steps: int,
    now: Callable[[], int] = perf_counter_ns,
) -> Phases:
    """Return the parts of whole cycles, each beside a cycle of the same steps without marks; the order alternates."""
    for _ in range(settings.warmup_cycles(cycle_steps) * cycle_steps):
        step()
    recorder = PhaseRecorder(now)
    marked: list[dict[PhaseName, Seconds]] = []
    plain: list[Seconds] = []

    def run_marked() -> None:
        with listening(recorder):
            for _ in range(cycle_steps):
                recorder.begin()
                step()
                marked.append(recorder.end())

    def run_plain() -> None:
        for _ in range(cycle_steps):
            start = now()
            step()
            plain.append((now() - start) / 1e9)

    gc.collect()
    gc.disable()
    try:
        for pair in range(settings.num_cycles(cycle_steps)):
            for run in (run_marked, run_plain) if pair % 2 else (run_plain, run_marked):
                run()
    finally:
        gc.enable()
    return Phases(cycle_steps=cycle_steps, steps=tuple(marked), plain_seconds=tuple(plain))
