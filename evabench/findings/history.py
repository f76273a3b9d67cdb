"""The history of step times on one host: a series for each workload and arm, a point for each code that was measured.

A point is the median over the visits of one code; pilots and tries that do not count are left out. Cells with other
settings, and other versions of torch, are series of their own. Stored runs of two codes are no adjacent pairs, so a
change point is something to look at, and no verdict.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from evabench.findings.repeats import counting_runs
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.settings.choices import Family
from evabench.settings.first_order import SgdSettings
from evabench.stats.change_points import MIN_SIDE, ChangePoint, change_points
from evabench.units import Seconds

MIN_POINTS = 2 * MIN_SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one code has taken."""

    code: str  # for people: its commit, or the hash of its sources
    started: str  # the first visit
    seconds: Seconds
    num_visits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change point of a series."""

    code: str  # the first one behind it
    before: str  # the last one before it
    started: str
    shift: float  # a share: 0.1 is 10 % slower
    of_sgd_too: bool  # SGD of the workload has shifted at the same code: more likely the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The step of one arm on one workload, from the oldest code to the newest."""

    workload: str
    arm: str
    family: Family
    is_sgd: bool
    torch: str
    points: tuple[Point, ...]
    shifts: tuple[Shift, ...] = ()

    @property
    def title(self) -> str:
        """Return "autoencoder, Eva (torch 2.9.1)"."""
        return f"{self.workload}, {self.arm} (torch {self.torch})"

    @property
    def is_long_enough(self) -> bool:
        """Return whether a shift could be seen in it at all."""
        return len(self.points) >= MIN_POINTS


def step_histories(runs: Iterable[Run]) -> tuple[Series, ...]:
    """Return the series of one host, with their change points, in the order in which they begin."""
    cells: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        if isinstance(run.measured, StepTime) and run.outcome.completed and run.visit and run.visit.sweep > 0:
            cells[run.cell.without_places.identity, str(run.environment.torch)].append(run)
    series = [_series(found, torch) for (_, torch), found in cells.items()]
    found = [(one, change_points([point.seconds for point in one.points])) for one in series]
    of_sgd = {
        (one.workload, one.torch, one.points[change.place].code)
        for one, changes in found
        if one.is_sgd
        for change in changes
    }
    return tuple(_with_shifts(one, changes, of_sgd) for one, changes in found)


def _series(runs: Sequence[Run], torch: str) -> Series:
    cell = runs[0].cell
    codes: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        codes[run.code.id].append(run)
    points = sorted((_point(counting_runs(found)) for found in codes.values()), key=lambda point: point.started)
    return Series(
        workload=cell.workload_name,
        arm=cell.arm,
        family=cell.optimizer.family,
        is_sgd=isinstance(cell.optimizer, SgdSettings),
        torch=torch,
        points=tuple(points),
    )


def _point(visits: Sequence[Run]) -> Point:
    code = visits[0].code
    commit = code.commit[:9] + ("+" if code.dirty else "") if code.commit else code.id
    times = [run.measured.amortised_seconds for run in visits if isinstance(run.measured, StepTime)]
    started = min(run.started for run in visits)
    return Point(code=commit, started=started, seconds=median(times), num_visits=len(times))


def _with_shifts(series: Series, changes: Sequence[ChangePoint], of_sgd: set[tuple[str, str, str]]) -> Series:
    points = series.points
    shifts = tuple(
        Shift(
            code=points[change.place].code,
            before=points[change.place - 1].code,
            started=points[change.place].started,
            shift=change.shift,
            of_sgd_too=not series.is_sgd and (series.workload, series.torch, points[change.place].code) in of_sgd,
        )
        for change in changes
    )
    return replace(series, shifts=shifts)
