"""Tune the arms of a suite on grids of equal size, then set its target: `python tools/quickstart_grid.py [SUITE]`.

**Grid.** Every arm gets the 12 points of its settings' `search` (learning rate x one other), each trained to the
suite's own budget with the same tuning seeds. A trial fails where it diverges or ends no lower than it began. A point
is out where one of its trials failed, or one at the next larger learning rate: few seeds do not show a failure of one
in eight, its neighbour does. Of the rest the one with the lowest median final validation loss is the arm's. The script
says where a best learning rate lies at the edge of its grid.

**Target.** The best first-order arm of the grid is trained with target-setting seeds. The target is the best validation
loss that nine tenths of them (rounded up) hit within 75 % of the budget.

No judged seed takes part in either. Runs are stored in `results/<suite>-grid/` and `results/<suite>-targets/`, and a
second call goes on where the first stopped. `--stored FOLDER` runs nothing and judges the trials in `FOLDER/runs.jsonl`
and `FOLDER/target_runs.jsonl`, matched by cell and seed, whatever host and code made them.
"""

import argparse
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rich.console import Console

from evabench.findings.goals import Goal, first_hit
from evabench.findings.target_rule import target_value
from evabench.machine.host import read_host
from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.runner.progress import RunProgress
from evabench.runner.suite_run import SuiteRun
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.targets import EASIER_AT, HARDER_AT
from evabench.stats.time_to_target import INFINITE
from evabench.store.files import RunStore
from evabench.suite.convergence import ConvergenceTable
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite
from evabench.suite.tables import Measurements

TRIALS = 12  # an arm
FIRST_TUNING_SEED, NUM_TUNING_SEEDS = 1000, 3
FIRST_TARGET_SEED, NUM_TARGET_SEEDS = 2000, 8
SHARES = (EASIER_AT, 0.75, HARDER_AT)  # of the budget, within which they hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of an arm's grid with its trials, one a tuning seed."""

    settings: OptimizerSettings
    trials: tuple[Run, ...]

    @property
    def losses(self) -> tuple[float, ...]:
        """Return the final validation losses; infinite where a trial failed."""
        return tuple(final_loss(run) if descended(run) else INFINITE for run in self.trials)

    @property
    def label(self) -> str:
        """Return "lr 0.3, damping 0.03"."""
        return label_of({key: getattr(self.settings, key) for key in self.settings.search})

    @property
    def at_edge(self) -> bool:
        """Return whether the learning rate is the smallest or the largest of the grid."""
        rates = self.settings.search["lr"]
        return _rate(self.settings) in (min(rates), max(rates))


def label_of(values: dict[str, float]) -> str:
    """Return "lr 0.3, damping 0.03"."""
    return ", ".join(f"{key} {value:g}" for key, value in values.items())


def points_of(settings: OptimizerSettings) -> dict[str, OptimizerSettings]:
    """Return the settings of every point of the grid by its label."""
    points = {}
    for values in itertools.product(*settings.search.values()):
        point = dict(zip(settings.search, values, strict=True))
        points[label_of(point)] = replace(settings, **point)  # type: ignore[arg-type]
    return points


def grid_of(suite: Suite) -> Suite:
    """Return a suite of the same budget with an arm for each point of each arm's grid.

    Raises `ValueError` where an arm's grid has another size than the others': equal budgets are the point of it.
    """
    arms = {}
    for name, settings in suite.arms.items():
        points = points_of(settings)
        if len(points) != TRIALS:
            raise ValueError(f"arm {name} has {len(points)} points in its `search`, every arm must have {TRIALS}")
        arms |= {f"{name}: {label}": point for label, point in points.items()}
    return _training(suite, "grid", arms, seeds=NUM_TUNING_SEEDS, first_seed=FIRST_TUNING_SEED)


def targets_of(suite: Suite, arm: str, settings: OptimizerSettings) -> Suite:
    """Return a suite of the same budget with one arm and the target-setting seeds."""
    return _training(suite, "targets", {arm: settings}, seeds=NUM_TARGET_SEEDS, first_seed=FIRST_TARGET_SEED)


def final_loss(run: Run) -> float:
    """Return the final validation loss; a run that did not get there is worse than any."""
    loss = run.measured.final_validation_loss if isinstance(run.measured, Convergence) else None
    return INFINITE if loss is None else loss


def descended(run: Run) -> bool:
    """Return whether the run got to its end and is lower there than where it began.

    A net can blow up to 1e12 and stay finite; that is a divergence too.
    """
    start = run.measured.evaluations[0].validation_loss if isinstance(run.measured, Convergence) else None
    return start is not None and final_loss(run) < start


def best_point(points: Sequence[Point]) -> Point | None:
    """Return the point with the lowest median among those a step of the grid away from any failure; None without one.

    The largest learning rate has no neighbour to show where failures begin, so it is never safe.
    """
    safe = [point for point in points if has_no_failure(point) and _next_larger_has_no_failure(point, points)]
    return min(safe, key=lambda point: median(point.losses), default=None)


def has_no_failure(point: Point) -> bool:
    """Return whether every trial descended."""
    return bool(point.trials) and max(point.losses) < INFINITE


def _next_larger_has_no_failure(point: Point, points: Sequence[Point]) -> bool:
    rates = sorted(point.settings.search["lr"])
    place = rates.index(_rate(point.settings)) + 1
    if place == len(rates):
        return False
    neighbour = replace(point.settings, lr=rates[place])  # type: ignore[call-arg]
    return any(other.settings == neighbour and has_no_failure(other) for other in points)


def _rate(settings: OptimizerSettings) -> float:
    assert not isinstance(settings, PluginSettings), "a plug-in has no grid"
    return settings.lr


def grid_points(suite: Suite, runs: Sequence[Run]) -> dict[str, list[Point]]:
    """Return the points of each arm with their trials."""
    return {
        name: [
            Point(settings=point, trials=tuple(run for run in runs if run.cell.arm == f"{name}: {label}"))
            for label, point in points_of(settings).items()
        ]
        for name, settings in suite.arms.items()
    }


def target_setter(best: Mapping[str, Point]) -> str | None:
    """Return the first-order arm with the lowest median; None where there is none."""
    names = [name for name, point in best.items() if point.settings.family == "first-order"]
    return min(names, key=lambda name: median(best[name].losses), default=None)


def stored_runs(suite: Suite, stored: Sequence[Run]) -> tuple[Run, ...]:
    """Return the runs that a suite asks for, by cell and seed. Raises `ValueError` where one is missing."""
    assert suite.convergence
    found = {(run.cell.arm, run.seed): run for run in stored}
    first = suite.convergence.first_seed
    runs = []
    for cell in suite.cells("convergence"):
        for seed in range(first, first + suite.convergence.seeds):
            run = found.get((cell.arm, seed))
            if run is None or run.cell != cell:
                raise ValueError(f"there is no stored run of {cell.title}, seed {seed}, with these settings")
            runs.append(run)
    return tuple(runs)


def print_grid(suite: Suite, runs: Sequence[Run]) -> dict[str, Point]:
    """Print the points of each arm, best first, and return the best of each arm that has one."""
    chosen = {}
    for name, points in grid_points(suite, runs).items():
        best = best_point(points)
        print(f"{name}: {best.label if best else 'NONE without a failed seed'}", end="")
        print(" (at the EDGE of its learning rates)" if best and best.at_edge else "")
        for point in sorted(points, key=lambda one: (math.isinf(max(one.losses)), median(one.losses))):
            losses = " ".join("failed" if math.isinf(loss) else f"{loss:.4f}" for loss in point.losses)
            print(f"    {median(point.losses):.4f}  [{losses}]  {point.label}")
        if best:
            chosen[name] = best
    return chosen


def main() -> None:
    """Run what is missing, then print the best point of each arm and the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="?", default="quickstart")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stored", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    suite = load_suite(arguments.suite)

    def runs_of(wanted: Suite, file: str) -> tuple[Run, ...]:
        if arguments.stored:
            return stored_runs(wanted, RunStore(arguments.stored / file).load())
        return _run(wanted, arguments.jobs)

    best = print_grid(suite, runs_of(grid_of(suite), "runs.jsonl"))
    name = target_setter(best)
    if name is None:
        print("no target: no first-order arm has a point without a failed seed")
        return
    runs = runs_of(targets_of(suite, name, best[name].settings), "target_runs.jsonl")
    trainings = [run.measured for run in runs if isinstance(run.measured, Convergence)]
    print(f"target set by {name} ({best[name].label}), {len(trainings)} seeds from {FIRST_TARGET_SEED}:")
    for share in SHARES:
        value = target_value(trainings, share)
        if value is None:
            print(f"  {share:.0%} of the budget: too many of them hit nothing")
            continue
        steps = [hit.step for training in trainings if (hit := first_hit(training.evaluations, Goal(value)))]
        print(f"  {share:.0%} of the budget: {value!r}, hit by {len(steps)} at steps {sorted(steps)}")


def _training(suite: Suite, suffix: str, arms: dict[str, OptimizerSettings], *, seeds: int, first_seed: int) -> Suite:
    assert suite.convergence
    training: ConvergenceTable = replace(suite.convergence, seeds=seeds, first_seed=first_seed, without=(), targets={})
    name = f"{suite.name}-{suffix}"
    # The committed trials were made before children flushed subnormal numbers.
    kept = replace(suite, subnormals="keep")
    return replace(kept, name=name, arms=arms, measurements=Measurements(convergence=training))


def _run(suite: Suite, jobs: int) -> tuple[Run, ...]:
    """Make the runs that are missing and return all."""
    host = read_host()
    store = RunStore(Path("results") / suite.name / host.id / "runs.jsonl")
    asked = SuiteRun(suite=suite, host=host, store=store)
    plan = asked.plan(store.load())
    with RunProgress(Console(stderr=True), plan.num_runs) as progress:
        asked.make(plan, progress, jobs=jobs)
    return asked.lasting_plan().stored


if __name__ == "__main__":
    main()
