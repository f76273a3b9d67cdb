"""Steps under torch's profiler: a trace for people, and the self time of each operator by phase.

The marks of the optimizers become ranges of the trace. An event's self time is its length without what runs inside it
on its thread; it belongs to the innermost phase that was open when it began. What is left of a phase is time outside
operators. Work on another thread than the one that trains is named as such: it lies beside the phase, not inside it.
"""

import gzip
import os
import shutil
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch.autograd import DeviceType  # type: ignore[attr-defined]  # it is public, its module says nothing
from torch.autograd.profiler import record_function
from torch.profiler import (  # type: ignore[attr-defined]  # the type of an argument of `profile`
    _ExperimentalConfig,
    profile,
    supported_activities,
)

from evabench.measurement.timing.phases import MarkClock, time_phases
from evabench.optimizers.phases import listening
from evabench.records.measurement import ProfileSettings
from evabench.records.phases import PhaseName
from evabench.records.profile import OUTSIDE_OPERATORS, OperatorTime, Profile

_STEP = "evabench step"
_PHASE = "evabench phase "
_TAIL_BYTES = 100


class Event(NamedTuple):
    """An operator, a phase or a step, in nanoseconds."""

    start: int
    end: int
    name: str
    thread: int


class _Ranges:
    """Shows every part of a step as a range of the trace."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def enter(self, name: PhaseName) -> None:
        """Begin a range."""
        self._open.append(_range(f"{_PHASE}{name}"))
        self._open[-1].__enter__()

    def leave(self) -> None:
        """End the innermost range."""
        self._open.pop().__exit__(None, None, None)


def profile_steps(
    step: Callable[[], None],
    settings: ProfileSettings,
    cycle_steps: int,
    *,
    device_kind: str = "cpu",
    clock: MarkClock | None = None,
) -> Profile:
    """Return the phases of steps without the profiler, then the operators of whole cycles under it; write the trace."""
    phases = time_phases(step, settings.phases, cycle_steps, clock)
    known = supported_activities()  # type: ignore[no-untyped-call]  # torch has no annotations here
    activities = [one for one in known if one.name in {"CPU", device_kind.upper()}]
    with profile(activities=activities):  # what the profiler sets up once is no part of a step
        _marked(step)
    with profile(activities=activities, experimental_config=_every_thread()) as profiler:
        for _ in range(settings.phases.num_cycles(cycle_steps) * cycle_steps):
            _marked(step)
    unwritten = write_trace(profiler.export_chrome_trace, Path(settings.trace))
    events = [
        Event(event.start_ns(), event.end_ns(), event.name(), event.start_thread_id())
        for event in profiler.profiler.kineto_results.events()
        if event.device_type() == DeviceType.CPU and not event.is_async()
    ]
    return Profile(
        trace=settings.trace,
        phases=phases,
        profiled_seconds=tuple((event.end - event.start) / 1e9 for event in sorted(events) if event.name == _STEP),
        operators=operator_times(events),
        unwritten=unwritten,
    )


def write_trace(export: Callable[[str], object], path: Path) -> str | None:
    """Write a trace, compressed where its name ends in `.gz`: whole, or not at all. Return why it could not be written.

    The profile itself is worth telling without it. torch's own writer says nothing where a disk is full, so that what
    it wrote is looked at.
    """
    plain, packed = (path.with_name(f".{path.name}.{ending}") for ending in ("json", "gz"))
    try:
        export(str(plain))
        with plain.open("rb") as written:
            written.seek(-min(_TAIL_BYTES, written.seek(0, os.SEEK_END)), os.SEEK_END)
            if not written.read().rstrip().endswith(b"}"):
                return "only a part of it got there"
            if path.suffix != ".gz":
                plain.replace(path)
                return None
            written.seek(0)
            with gzip.open(packed, "wb") as to:
                shutil.copyfileobj(written, to)
        packed.replace(path)
        return None
    except OSError as error:
        return error.strerror or str(error)
    finally:
        for part in (plain, packed):
            part.unlink(missing_ok=True)


def operator_times(events: Iterable[Event]) -> tuple[OperatorTime, ...]:
    """Return the self time of each operator in each phase; what lies in no step is left out."""
    by_thread: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_thread[event.thread].append(event)
    training = {thread for thread, found in by_thread.items() if any(event.name == _STEP for event in found)}
    edges = [edge for thread in training for edge in _phase_edges(by_thread[thread])]
    starts = sorted(event.start for thread in training for event in by_thread[thread] if event.name == _STEP)
    spent: defaultdict[tuple[PhaseName, str], list[int]] = defaultdict(lambda: [0] * len(starts))
    calls: defaultdict[tuple[PhaseName, str], list[int]] = defaultdict(lambda: [0] * len(starts))
    for thread, found in by_thread.items():
        for event, nanoseconds in _self_times(found):
            phase = _phase_at(event.start, edges)
            if phase is None:
                continue
            name = event.name if _phase_of(event) is None else OUTSIDE_OPERATORS
            key = phase, name if thread in training else f"{name} (another thread)"
            step = bisect_right(starts, event.start) - 1
            spent[key][step] += nanoseconds
            calls[key][step] += 1
    return tuple(
        OperatorTime(
            phase=phase,
            name=name,
            self_seconds=tuple(one / 1e9 for one in nanoseconds),
            num_calls=tuple(calls[phase, name]),
        )
        for (phase, name), nanoseconds in sorted(spent.items())
    )


def _self_times(events: Iterable[Event]) -> Iterator[tuple[Event, int]]:
    """Yield each event of one thread with its length outside the events inside it."""
    around: list[Event] = []
    inside: list[int] = []
    for event in sorted(events, key=lambda event: (event.start, -event.end)):
        while around and around[-1].end <= event.start:
            yield _closed(around, inside)
        if around:
            inside[-1] += event.end - event.start
        around.append(event)
        inside.append(0)
    while around:
        yield _closed(around, inside)


def _closed(around: list[Event], inside: list[int]) -> tuple[Event, int]:
    event = around.pop()
    return event, max(0, event.end - event.start - inside.pop())


def _phase_edges(events: Iterable[Event]) -> list[tuple[int, PhaseName | None]]:
    """Return from when on which phase is the innermost; None: between two steps."""
    edges: list[tuple[int, PhaseName | None]] = []
    around: list[Event] = []

    def close_before(nanoseconds: float) -> None:
        while around and around[-1].end <= nanoseconds:
            end = around.pop().end
            edges.append((end, _phase_of(around[-1]) if around else None))

    for event in sorted((event for event in events if _phase_of(event)), key=lambda event: (event.start, -event.end)):
        close_before(event.start)
        around.append(event)
        edges.append((event.start, _phase_of(event)))
    close_before(inf)
    return edges


def _phase_at(nanoseconds: int, edges: list[tuple[int, PhaseName | None]]) -> PhaseName | None:
    place = bisect_right(edges, nanoseconds, key=lambda edge: edge[0])
    return edges[place - 1][1] if place else None


def _phase_of(event: Event) -> PhaseName | None:
    """Return the phase that an event is the range of; None: it is an operator."""
    if event.name == _STEP:
        return "other"
    return cast(PhaseName, event.name.removeprefix(_PHASE)) if event.name.startswith(_PHASE) else None


def _marked(step: Callable[[], None]) -> None:
    with listening(_Ranges()), _range(_STEP):
        step()


def _every_thread() -> _ExperimentalConfig | None:
    try:
        return _ExperimentalConfig(profile_all_threads=True)
    except TypeError:  # an older torch sees only the threads that autograd knows
        return None


def _range(name: str) -> Any:
    return record_function(name)
