"""The parts of a step, timed by the marks that it passes."""

import gc
from collections import defaultdict
from collections.abc import Callable
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
        self._stack: list[PhaseName] = []
        self._spent: defaultdict[PhaseName, int] = defaultdict(int)
        self._last = 0

    def begin(self) -> None:
        """Start a step; until the first mark it is "other"."""
        self._stack = ["other"]
        self._spent = defaultdict(int)
        self._last = self._now()

    def end(self) -> dict[PhaseName, Seconds]:
        """Return the parts of the step in seconds."""
        self._turn()
        assert len(self._stack) == 1, f"a mark was not closed: {self._stack[1:]}"
        return {name: spent / 1e9 for name, spent in self._spent.items()}

    def enter(self, name: PhaseName) -> None:
        """Begin a part inside the present one."""
        self._turn()
        self._stack.append(name)

    def leave(self) -> None:
        """Return to the part around."""
        self._turn()
        self._stack.pop()

    def _turn(self) -> None:
        now = self._now()
        self._spent[self._stack[-1]] += now - self._last
        self._last = now


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
