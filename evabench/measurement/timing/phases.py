"""The parts of a step, timed by the marks that it passes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter_ns
from typing import Any, Protocol

from evabench.optimizers.phases import listening
from evabench.records.measurement import PhasesSettings
from evabench.records.phases import PhaseName, Phases
from evabench.units import Seconds


class MarkClock(Protocol):
    """What stamps marks. Stamps may be compared only when they were awaited: a device is behind its host."""

    def stamp(self) -> Any:
        """Return the present moment."""

    def wait(self) -> None:
        """Wait until every stamp has come to pass."""

    def nanoseconds(self, start: Any, end: Any) -> int:
        """Return the time between two stamps."""


@dataclass(frozen=True, slots=True)
class HostMarks:
    """The monotonic clock; on a CPU what was called has ended when it returns, so that nothing is to be awaited."""

    stamp: Callable[[], int] = perf_counter_ns

    def wait(self) -> None:
        """Wait for nothing."""

    def nanoseconds(self, start: int, end: int) -> int:
        """Return the time between two readings."""
        return end - start


class PhaseRecorder:
    """Stamps every mark, and gives the time since the last one to the part that was running.

    So the parts are exclusive, and add up to the time between `begin` and `end` exactly.
    """

    def __init__(self, clock: MarkClock | None = None) -> None:
        self._clock = clock or HostMarks()
        self._stamp = self._clock.stamp
        # Only noted inside the step, and added up behind its block: two stores and a stamp a mark.
        self._marks: list[PhaseName | None] = []  # None: the innermost part ends
        self._stamps: list[Any] = []
        self._steps: list[tuple[list[PhaseName | None], list[Any]]] = []

    def begin(self) -> None:
        """Start a step; until the first mark it is "other"."""
        self._marks = ["other"]
        self._stamps = [self._stamp()]

    def end(self) -> None:
        """End the step."""
        self.leave()
        self._steps.append((self._marks, self._stamps))

    def read(self) -> list[dict[PhaseName, Seconds]]:
        """Wait for the device, and return the parts of each step since the last reading, in seconds."""
        self._clock.wait()
        steps, self._steps = self._steps, []
        return [self._parts(*step) for step in steps]

    def enter(self, name: PhaseName) -> None:
        """Begin a part inside the present one."""
        self._marks.append(name)
        self._stamps.append(self._stamp())

    def leave(self) -> None:
        """Return to the part around."""
        self._marks.append(None)
        self._stamps.append(self._stamp())

    def _parts(self, marks: Sequence[PhaseName | None], stamps: Sequence[Any]) -> dict[PhaseName, Seconds]:
        running: list[PhaseName] = []
        spent: defaultdict[PhaseName, int] = defaultdict(int)
        for mark, (start, end) in zip(marks, pairwise(stamps), strict=False):
            if mark is None:
                running.pop()
            else:
                running.append(mark)
            spent[running[-1]] += self._clock.nanoseconds(start, end)
        assert len(running) == 1, f"a mark was not closed: {running[1:]}"
        return {name: nanoseconds / 1e9 for name, nanoseconds in spent.items()}


def time_phases(
    step: Callable[[], None],
    settings: PhasesSettings,
    cycle_steps: int,
    clock: MarkClock | None = None,
) -> Phases:
    """Return the parts of whole cycles, each beside a cycle of the same steps without marks; the order alternates.

    Without a clock of the device the host's is read. Nothing waits inside a cycle; each is awaited behind its end.
    """
    clock = clock or HostMarks()
    for _ in range(settings.warmup_cycles(cycle_steps) * cycle_steps):
        step()
    clock.wait()
    recorder = PhaseRecorder(clock)
    marked: list[dict[PhaseName, Seconds]] = []
    plain: list[Seconds] = []

    def run_marked() -> None:
        with listening(recorder):
            for _ in range(cycle_steps):
                recorder.begin()
                step()
                recorder.end()
        marked.extend(recorder.read())

    def run_plain() -> None:
        stamps = []
        for _ in range(cycle_steps):
            start = clock.stamp()
            step()
            stamps.append((start, clock.stamp()))
        clock.wait()
        plain.extend(clock.nanoseconds(start, end) / 1e9 for start, end in stamps)

    for pair in range(settings.num_cycles(cycle_steps)):
        for run in (run_marked, run_plain) if pair % 2 else (run_plain, run_marked):
            run()
    return Phases(cycle_steps=cycle_steps, steps=tuple(marked), plain_seconds=tuple(plain))
