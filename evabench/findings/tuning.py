"""Trials -> which settings of an arm are the best, and whether its ranges were wide enough to say so.

Everything follows from the runs: what varies among the settings of an arm's trials is what was tuned.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from evabench.records.cell import Cell
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings
from evabench.records.run import Run
from evabench.settings.bounds import is_bound
from evabench.settings.choices import Value
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.points import values_of
from evabench.stats.time_to_target import INFINITE

Side = Literal["smallest", "largest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of an arm's grid with its trials."""

    settings: OptimizerSettings
    values: Mapping[str, Value]  # of what varies in the arm's grid
    losses: Mapping[int, float]  # final validation loss by seed; infinite where the trial failed

    @property
    def median_loss(self) -> float:
        """Return the median over the seeds."""
        return median(self.losses.values())

    @property
    def num_failed(self) -> int:
        """Return how many trials failed."""
        return sum(math.isinf(loss) for loss in self.losses.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A best value beyond which nothing was tried."""

    name: str
    value: float
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedArm:
    """The trials of one arm on one workload."""

    workload_name: str
    name: str
    budget: ConvergenceSettings
    points: tuple[Point, ...]  # in the order of the runs

    @property
    def varied(self) -> tuple[str, ...]:
        """Return the settings that were tuned."""
        return tuple(self.points[0].values)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds that any point has."""
        return tuple(sorted({seed for point in self.points for seed in point.losses}))

    @property
    def num_trials(self) -> int:
        """Return how many trials there are."""
        return sum(len(point.losses) for point in self.points)

    @property
    def num_failed(self) -> int:
        """Return how many points had a trial that failed."""
        return sum(point.num_failed > 0 for point in self.points)

    @property
    def best(self) -> Point | None:
        """Return the point with the lowest median among those without a failed trial; the first of equal ones."""
        sound = [point for point in self.points if point.num_failed == 0]
        return min(sound, key=lambda point: point.median_loss, default=None)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Return the numbers of the best point that are the smallest or the largest that were tried beside it.

        Beside it: among the points with the same words and switches, such as its clip. A single value is no range,
        nothing lies beyond a bound of the setting itself (a weight decay of 0), and a value is at no edge where one
        inside of the range did as well (under an active KL clip the learning rate changes nothing).
        """
        best = self.best
        if best is None:
            return ()
        beside = [point for point in self.points if _choices(point) == _choices(best)]
        as_good = [point for point in beside if point.num_failed == 0 and point.median_loss == best.median_loss]
        edges = []
        for name, value in _numbers(best).items():
            tried = _tried(beside, name)
            if len(tried) == 1 or is_bound(type(best.settings), name, value):
                continue
            if _tried(as_good, name) <= {min(tried), max(tried)}:
                edges.append(Edge(name=name, value=value, side="smallest" if value == min(tried) else "largest"))
        return tuple(edges)


def tuned_arms(trials: Iterable[Run]) -> tuple[TunedArm, ...]:
    """Return the arms of the runs of role "tuning", in their order; those of other roles are left out."""
    arms: dict[tuple[str, str, ConvergenceSettings], dict[str, list[Run]]] = {}
    for run in trials:
        cell = run.cell
        if cell.role == "tuning" and isinstance(cell.measurement, ConvergenceSettings):
            points = arms.setdefault((cell.workload_name, cell.arm, cell.measurement), {})
            points.setdefault(repr(cell.optimizer), []).append(run)
    return tuple(
        TunedArm(workload_name=workload, name=arm, budget=budget, points=_points(list(points.values())))
        for (workload, arm, budget), points in arms.items()
    )


def find_trials(cells: Sequence[Cell], seeds: Sequence[int], runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return the run of each cell and seed that there is, by cells in a row; of several the last, whatever its host."""
    wanted = {cell.identity for cell in cells}
    found = {(run.cell.identity, run.seed): run for run in runs if run.cell.identity in wanted}
    places = ((cell.identity, seed) for cell in cells for seed in seeds)
    return tuple(found[place] for place in places if place in found)


def _points(groups: Sequence[Sequence[Run]]) -> tuple[Point, ...]:
    values = [values_of(runs[0].cell.optimizer) for runs in groups]
    varied = [name for name in values[0] if len({repr(each.get(name)) for each in values}) > 1]
    return tuple(
        Point(
            settings=runs[0].cell.optimizer,
            values={name: each[name] for name in varied if name in each},
            losses={run.seed: _loss(run) for run in runs},
        )
        for runs, each in zip(groups, values, strict=True)
    )


def _loss(run: Run) -> float:
    """Return the final validation loss; infinite where the run did not get there, or is no lower than it began.

    A net can blow up to 1e12 and stay finite: that is a divergence too.
    """
    measured = run.measured
    if not run.outcome.completed or not isinstance(measured, Convergence):
        return INFINITE
    start, end = measured.evaluations[0].validation_loss, measured.final_validation_loss
    return end if start is not None and end is not None and end < start else INFINITE


def _numbers(point: Point) -> dict[str, float]:
    return {name: value for name, value in point.values.items() if _is_number(value)}


def _tried(points: Iterable[Point], name: str) -> set[float]:
    return {number for point in points if (number := _numbers(point).get(name)) is not None}


def _choices(point: Point) -> dict[str, Value]:
    return {name: value for name, value in point.values.items() if not _is_number(value)}


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
