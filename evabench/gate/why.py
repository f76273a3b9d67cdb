"""Why a cell is slower: phases, operators and the number of operators of a step, of both sides, by torch's profiler.

A diagnosis that follows a regression and decides nothing: a profiled step is slower than it is. Each side is profiled
three times, in the order ABBA, and of each part the fastest time is shown: on a busy machine a single profile blames
whatever was interrupted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evabench.gate.pairs import SIDES, Side
from evabench.gate.sides import SideServers
from evabench.gate.timed import Series, TimedCell
from evabench.launch.launcher import Launcher
from evabench.records.measurement import ProfileSettings
from evabench.records.phases import PHASES, PhaseName
from evabench.records.profile import OUTSIDE_OPERATORS, Profile
from evabench.records.request import Request
from evabench.runner.session import Session, perform
from evabench.settings.strict import Strict
from evabench.units import Seconds, format_seconds

_MAX_OPERATORS, _MAX_SAID = 10, 3
_ORDER: tuple[Side, ...] = ("base", "head", "head", "base", "base", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChange(Strict):
    """A part of a step on both sides, without the profiler."""

    phase: PhaseName
    base_seconds: Seconds
    head_seconds: Seconds

    @property
    def rise(self) -> Seconds:
        """Return by how much it takes longer."""
        return self.head_seconds - self.base_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChange(Strict):
    """An operator in a phase on both sides, under the profiler: its own time, and how often it is called."""

    phase: PhaseName
    name: str
    base_seconds: Seconds
    head_seconds: Seconds
    base_calls: float
    head_calls: float

    @property
    def rise(self) -> Seconds:
        """Return by how much it takes longer."""
        return self.head_seconds - self.base_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Strict):
    """What a cell's step does on both sides, what rose most first."""

    cell: str
    phases: tuple[PhaseChange, ...]
    operators: tuple[OperatorChange, ...]  # those that rose most
    base_calls: float  # of operators, per step
    head_calls: float

    @property
    def sentence(self) -> str:
        """Return the answer in words: the phases and operators that rose most, and the number of operators."""
        phases = [f"{one.phase} {_times(one)}" for one in self.phases[:_MAX_SAID] if one.rise > 0]
        operators = [
            f"{one.name} in {one.phase} {_times(one)}, {one.base_calls:.3g} -> {one.head_calls:.3g} calls"
            for one in self.operators[:_MAX_SAID]
            if one.rise > 0
        ]
        return (
            f"{self.cell}: where the time went: {'; '.join(phases) or 'no phase rose'}. Under the profiler: "
            f"{'; '.join(operators) or 'no operator rose'}; operators per step {self.base_calls:.4g} -> "
            f"{self.head_calls:.4g}."
        )


def why_slower(cell: TimedCell, series: Series, scratch: Path) -> Why | None:
    """Return what differs between the steps of both sides; None where one could not be profiled."""
    settings = {side: ProfileSettings(trace=str(scratch / f"{side}.json")) for side in SIDES}

    def profile(server: Launcher, side: Side) -> Profile | None:
        assert isinstance(server, SideServers)
        request = Request(
            cell=replace(cell.cells[side], measurement=settings[side]),
            seed=0,
            warmup_steps=0,
            timeout_seconds=series.timeout_seconds,
            device_index=series.device_index,
        )
        measured = server.on(side).perform(request).measured
        return measured if isinstance(measured, Profile) else None

    session = Session(layout=f"{series.layout} why {cell.name}", runs=_ORDER)
    made = list(zip(_ORDER, perform(session, series.sides, profile), strict=True))
    base, head = ([one for of, one in made if of == side and one is not None] for side in SIDES)
    return compare_profiles(cell.name, base, head) if base and head else None


def compare_profiles(cell: str, base: Sequence[Profile], head: Sequence[Profile]) -> Why:
    """Return what differs between the profiles of both sides of one cell."""
    before, after = _phases(base), _phases(head)
    phases = [
        PhaseChange(phase=name, base_seconds=before.get(name, 0.0), head_seconds=after.get(name, 0.0))
        for name in PHASES
        if name in before or name in after
    ]
    ours, theirs = _operators(head), _operators(base)
    operators = [
        OperatorChange(
            phase=phase,
            name=name,
            base_seconds=theirs.get((phase, name), _NONE)[0],
            head_seconds=ours.get((phase, name), _NONE)[0],
            base_calls=theirs.get((phase, name), _NONE)[1],
            head_calls=ours.get((phase, name), _NONE)[1],
        )
        for phase, name in dict.fromkeys((*ours, *theirs))
    ]
    return Why(
        cell=cell,
        phases=tuple(sorted(phases, key=lambda one: -one.rise)),
        operators=tuple(sorted(operators, key=lambda one: -one.rise)[:_MAX_OPERATORS]),
        base_calls=_num_calls(theirs),
        head_calls=_num_calls(ours),
    )


_NONE = (0.0, 0.0)
Operators = Mapping[tuple[PhaseName, str], tuple[Seconds, float]]


def _phases(profiles: Sequence[Profile]) -> dict[PhaseName, Seconds]:
    found: dict[PhaseName, Seconds] = {}
    for profile in profiles:
        for name, seconds in profile.phases.amortised.items():
            found[name] = min(seconds, found.get(name, seconds))
    return found


def _operators(profiles: Sequence[Profile]) -> Operators:
    found: dict[tuple[PhaseName, str], tuple[Seconds, float]] = {}
    for profile in profiles:
        for one in profile.operators:
            seconds, calls = profile.seconds_per_step(one), profile.calls_per_step(one)
            fastest = min(seconds, found.get((one.phase, one.name), (seconds, calls))[0])
            found[one.phase, one.name] = (fastest, calls)
    return found


def _num_calls(operators: Operators) -> float:
    return sum(calls for (_, name), (_, calls) in operators.items() if name != OUTSIDE_OPERATORS)


def _times(one: PhaseChange | OperatorChange) -> str:
    return f"{format_seconds(one.base_seconds)} -> {format_seconds(one.head_seconds)}"
