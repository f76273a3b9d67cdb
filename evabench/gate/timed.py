"""The timed layers of a gate: pairs of visits until every test has its answer, then the confirmation.

A test is one cell and one layer. The step is a visit of step times. The optimizer's own time is the sum of its marked
phases in a visit of phases: capture, refresh, precondition and update, or the whole step of an optimizer without
marks. Both sides' servers are started at the same time for each pair, and the visits of a pair are adjacent; all tests
that are still open share the pair's servers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

from evabench.errors import WorkerError
from evabench.gate.clocks import ClockWatch
from evabench.gate.pairs import SIDES, Pair, Side, base_comes_first
from evabench.gate.rules import LOOKS, Seen, Test, TimedLayer, confirms, look_at
from evabench.gate.sides import Sides, SideServers
from evabench.launch.launcher import Launcher
from evabench.records.cell import Cell
from evabench.records.measurement import (
    Measured,
    MeasurementSettings,
    PhasesSettings,
    StepTimeSettings,
    WarmUpSettings,
)
from evabench.records.phases import PhaseName, Phases
from evabench.records.request import Request
from evabench.records.step_time import StepTime, WarmUp
from evabench.runner.session import Session, perform
from evabench.settings.strict import Strict
from evabench.units import Seconds

OWN_PHASES: tuple[PhaseName, ...] = ("capture", "communicate", "refresh", "precondition", "update", "fused")
_LAYERS: dict[TimedLayer, MeasurementSettings] = {"own_time": PhasesSettings(), "step": StepTimeSettings()}

# "not compared": the base cannot make the run, so there is nothing to compare with. "not measured": the head cannot.
TimedAnswer = Literal[
    "regression", "not confirmed", "pass", "inconclusive", "too noisy", "not compared", "not measured"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedCell:
    """A cell that is timed, as each side has it, and the tests of its layers."""

    name: str
    cells: Mapping[Side, Cell]
    tests: Mapping[TimedLayer, Test]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed(Strict):
    """What one layer of one cell has come to, with all that was measured for it."""

    cell: str
    layer: TimedLayer
    answer: TimedAnswer
    reason: str | None = None  # why there is no comparison
    looks: tuple[Seen, ...] = ()
    pairs: tuple[Pair, ...] = ()
    confirming: tuple[Pair, ...] = ()  # with swapped folders; empty where no look failed


@dataclass(slots=True)
class _Open:
    """A test on its way to an answer."""

    cell: TimedCell
    layer: TimedLayer
    pairs: list[Pair] = field(default_factory=list)
    looks: list[Seen] = field(default_factory=list)
    confirming: list[Pair] = field(default_factory=list)
    failed: tuple[Side, str] | None = None

    @property
    def open(self) -> bool:
        """Return whether more pairs would tell more."""
        return self.failed is None and len(self.pairs) < LOOKS[-1].num_pairs and not self.decided

    @property
    def decided(self) -> bool:
        """Return whether its last look has answered."""
        return bool(self.looks) and self.looks[-1].answer != "undecided"

    @property
    def to_confirm(self) -> bool:
        """Return whether a regression waits for its confirmation."""
        return (
            self.failed is None
            and bool(self.looks)
            and self.looks[-1].answer == "regression"
            and len(self.confirming) < self.looks[-1].num_pairs
        )

    def look(self) -> None:
        """Look, where so many pairs are a look."""
        for look in LOOKS:
            if look.num_pairs == len(self.pairs):
                self.looks.append(look_at(self.pairs, look, self.cell.tests[self.layer]))

    def timed(self) -> Timed:
        """Return what it has come to."""
        return Timed(
            cell=self.cell.name,
            layer=self.layer,
            answer=self._answer(),
            reason=None if self.failed is None else f"{self.failed[0]}: {self.failed[1]}",
            looks=tuple(self.looks),
            pairs=tuple(self.pairs),
            confirming=tuple(self.confirming),
        )

    def _answer(self) -> TimedAnswer:
        if self.failed is not None:
            return "not compared" if self.failed[0] == "base" else "not measured"
        last = self.looks[-1]
        if last.answer == "regression":
            return "regression" if confirms(self.confirming, last) else "not confirmed"
        if last.answer == "pass":
            return "pass"
        return "too noisy" if last.too_noisy else "inconclusive"


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a series of pairs needs to know."""

    sides: Sides
    timeout_seconds: Seconds
    device_index: int = 0  # which one of the kind that the cells name
    layout: str = "gate"  # draws the layouts; no two series of a gate share it
    clocks: ClockWatch | None = None  # of the GPU that it times on
    tell: Tell = lambda line: None
    between: Callable[[int], None] = lambda number: None  # called behind each pair: there the control makes its own


def time_cells(cells: Sequence[TimedCell], series: Series) -> tuple[Timed, ...]:
    """Return the answer of every cell and layer. The folders of both sides lie where they lay before, at the end."""
    tests = [_Open(cell, layer) for cell in cells for layer in cell.tests]
    warm_up = _warm_up(tests, series)
    for number in range(1, LOOKS[-1].num_pairs + 1):
        left = [test for test in tests if test.open]
        if not left:
            break
        for test, pair in _pair(left, number, warm_up, series):
            test.pairs.append(pair)
        for test in left:
            test.look()
        series.tell(_progress(number, tests))
        series.between(number)
    _confirm(tests, warm_up, series)
    return tuple(test.timed() for test in tests)


def time_pair(cell: TimedCell, number: int, warmup_steps: int, series: Series) -> dict[TimedLayer, Pair | str]:
    """Return one pair of each layer of a cell, from servers of its own, or why there is none."""
    tests = [_Open(cell, layer) for layer in cell.tests]
    made = {test.layer: pair for test, pair in _pair(tests, number, {cell.name: warmup_steps}, series)}
    lost = {test.layer: f"{test.failed[0]}: {test.failed[1]}" for test in tests if test.failed is not None}
    return {**made, **lost}


def time_pairs(
    cells: Sequence[TimedCell], series: Series, num_pairs: int
) -> dict[tuple[str, TimedLayer], tuple[Pair, ...]]:
    """Return so many pairs of each cell and layer, whatever they say; fewer where a visit failed."""
    tests = [_Open(cell, layer) for cell in cells for layer in cell.tests]
    warm_up = _warm_up(tests, series)
    for number in range(1, num_pairs + 1):
        left = [test for test in tests if test.failed is None]
        for test, pair in _pair(left, number, warm_up, series) if left else ():
            test.pairs.append(pair)
        series.tell(f"{series.layout}: pair {number} of {num_pairs}")
    return {(test.cell.name, test.layer): tuple(test.pairs) for test in tests}


def _confirm(tests: Sequence[_Open], warm_up: Mapping[str, int], series: Series) -> None:
    if not any(test.to_confirm for test in tests):
        return
    swapped = replace(series, sides=series.sides.swapped(), layout=f"{series.layout} swapped")
    number = 0
    while left := [test for test in tests if test.to_confirm]:
        number += 1
        series.tell(f"confirming {len(left)} with swapped folders, pair {number}")
        for test, pair in _pair(left, number, warm_up, swapped):
            test.confirming.append(pair)
    swapped.sides.swapped()


@dataclass(frozen=True, slots=True)
class _Visit:
    side: Side
    request: Request


def _pair(
    tests: Sequence[_Open], number: int, warm_up: Mapping[str, int], series: Series
) -> Iterable[tuple[_Open, Pair]]:
    """Return a pair of each test whose both visits completed; a test whose visit failed is told why."""
    first = base_comes_first(number)
    order: Sequence[Side] = SIDES if first else SIDES[::-1]
    visits = [
        _Visit(side, _request(test, side, number, warm_up[test.cell.name], series)) for test in tests for side in order
    ]
    session = Session(layout=f"{series.layout} pair {number}", runs=tuple(visits))

    def visit(server: Launcher, one: _Visit) -> Seconds | str:
        with series.clocks.visit(one.side) if series.clocks else nullcontext():
            return _visit(server, one)

    seconds = iter(perform(session, series.sides, visit))
    made = []
    for test in tests:
        found = {side: next(seconds) for side in order}
        failures = [(side, one) for side, one in found.items() if isinstance(one, str)]
        if failures:
            test.failed = min(failures)  # where both failed, the base: then there is nothing to compare
            continue
        base, head = (found[side] for side in SIDES)
        assert not isinstance(base, str)
        assert not isinstance(head, str)
        made.append((test, Pair(number=number, base_first=first, base_seconds=base, head_seconds=head)))
    return made


def _request(test: _Open, side: Side, number: int, warmup_steps: int, series: Series) -> Request:
    cell = replace(test.cell.cells[side], measurement=_LAYERS[test.layer])
    return Request(
        cell=cell,
        seed=number,
        warmup_steps=warmup_steps,
        timeout_seconds=series.timeout_seconds,
        device_index=series.device_index,
    )


def _visit(server: Launcher, visit: _Visit) -> Seconds | str:
    """Return the seconds that the layer is judged by, or why there are none."""
    measured = _measured(server, visit)
    match measured:
        case StepTime():
            return measured.amortised_seconds
        case Phases():
            return own_seconds(measured)
        case str():
            return measured
        case _:
            raise WorkerError(f"{visit.request.cell.title}: a visit answered with {type(measured).__name__}")


def own_seconds(phases: Phases) -> Seconds:
    """Return the optimizer's own share of a step, refreshes included."""
    amortised = phases.amortised
    return sum(amortised.get(name, 0.0) for name in OWN_PHASES)


def _warm_up(tests: Sequence[_Open], series: Series) -> dict[str, int]:
    """Return the steps to discard by cell: the longer pilot of both sides. One that failed fails the cell's tests."""
    cells = {test.cell.name: test.cell for test in tests}
    visits = [
        _Visit(
            side,
            Request(
                cell=replace(cell.cells[side], measurement=WarmUpSettings()),
                seed=0,
                warmup_steps=0,
                timeout_seconds=series.timeout_seconds,
                device_index=series.device_index,
            ),
        )
        for cell in cells.values()
        for side in SIDES
    ]
    found = iter(perform(Session(layout=f"{series.layout} pilot", runs=tuple(visits)), series.sides, _measured))
    steps = {}
    for name in cells:
        pilots = {side: next(found) for side in SIDES}
        failures = [(side, one) for side, one in pilots.items() if isinstance(one, str)]
        for test in tests:
            if failures and test.cell.name == name:
                test.failed = min(failures)
        steps[name] = max((one.discarded_steps for one in pilots.values() if isinstance(one, WarmUp)), default=0)
    return steps


def _measured(server: Launcher, visit: _Visit) -> Measured | str:
    assert isinstance(server, SideServers)
    reply = server.on(visit.side).perform(visit.request)
    if reply.measured is None or not reply.outcome.completed:
        return f"{reply.outcome.kind}: {reply.outcome.reason}"
    return reply.measured


def _progress(number: int, tests: Sequence[_Open]) -> str:
    left = sum(test.open for test in tests)
    return f"pair {number}: {len(tests) - left} of {len(tests)} tests have their answer"
