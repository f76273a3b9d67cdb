"""How far each arm came, and in what health, as tables."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.stats.kaplan_meier import Reached, reached
from evabench.units import format_seconds

MISSED = "missed"
_MAX_POINTS = 4
MIN_SEEDS_REACHED = 6  # below, the seeds themselves are listed and say more


def rate_warnings(report: Report) -> Iterator[str]:
    """Yield the arms whose learning rate both the schedule and the optimizer wanted to set."""
    for workload in report.workloads:
        for arm in workload.arms:
            steps = [curve.rate_contested_at for curve in arm.curves if curve.rate_contested_at is not None]
            if steps and arm.budget:
                yield (
                    f"{arm.name} on {workload.name} changes its learning rate itself, first before step {min(steps)}, "
                    f'and the schedule "{arm.budget.schedule}" set it back at every step. To leave it to the '
                    'optimizer: schedule = "constant", without a warm-up.'
                )


def trivial_warnings(report: Report) -> Iterator[str]:
    """Yield the arms that ended where a predictor without a net does, with its loss and the seeds."""
    for workload in report.workloads:
        for one in (workload, *workload.other_budgets):
            for arm in one.arms:
                levels = arm.learned_nothing
                if levels:
                    level = max(levels.values(), key=lambda each: each.validation_loss)
                    yield (
                        f"{arm.name} on {one.name} learned nothing in {len(levels)} of "
                        f"{counted(len(arm.trainings), 'seed')} in {one.budget_words}: it ends where {level.name} "
                        f"already is without a net, at a validation loss of {_loss(level.validation_loss)}."
                    )


def convergence_table(workload: WorkloadReport) -> Table | None:
    """Return where each arm ends and when it reaches the target; None where nothing was trained."""
    arms = [arm for arm in workload.arms if arm.curves]
    if not arms:
        return None
    target = workload.target
    scores = {heading: read for heading, read in _SCORES.items() if any(_known(arm, read) for arm in arms)}
    spread = ("its range",) if workload.num_seeds > 1 else ()
    to_target = ("steps to target", "time to target") if target else ()
    note = (
        f"Losses at the end of the budget: the median of {counted(workload.num_seeds, 'seed')}, each with the same "
        "initial weights and batches for every arm."
    )
    if any(None in arm.final_losses for arm in arms):
        note += ' "2 of 3 seeds": the third did not get to the end, and counts as a miss.'
    levels = _trivial_levels(arms)
    if levels:
        note += f" Without a net: {', '.join(f'{name} {_loss(loss)}' for name, loss in levels.items())}."
    if target:
        several = "the median of the seeds (their range)" if workload.num_seeds > _MAX_POINTS else "one point per seed"
        note += f" {target.words} Time: steps x step time; {several}."
    return Table(
        title=f"Convergence in {workload.budget_words}",
        headings=("arm", "val. loss", *spread, "test loss", *scores, *to_target),
        rows=tuple(
            (
                arm.name,
                _median(arm.final_losses),
                *(_range(arm.final_losses) for _ in spread),
                _median(arm.test_losses),
                *(_score(_known(arm, read), len(arm.trainings)) for read in scores.values()),
                *(_times_to_target(workload, arm) if target else ()),
            )
            for arm in arms
        ),
        note=note,
        text=frozenset(to_target),
    )


def reached_arms(workload: WorkloadReport) -> tuple[tuple[MeasuredArm, Reached, int], ...]:
    """Return by arm who has reached the target by when, and its budget; nothing without a target or enough seeds."""
    goal = workload.target.goal if workload.target else None
    return tuple(
        (arm, one, arm.budget.steps)
        for arm in workload.arms
        if goal and arm.budget and len(arm.trainings) >= MIN_SEEDS_REACHED
        if (one := reached(tuple(arm.steps_to(goal).values()), [arm.budget.steps] * len(arm.trainings)))
    )


def reached_table(workload: WorkloadReport) -> Table | None:
    """Return by when which share of the seeds had reached the target; None without one, or with too few seeds."""
    found = reached_arms(workload)
    if not found:
        return None
    return Table(
        title=f"Who has reached the target by when, in {workload.budget_words}",
        headings=("arm", "seeds", "a quarter", "half", "three quarters"),
        rows=tuple(
            (
                arm.name,
                f"{one.num_reached} of {one.num_seeds}",
                *(f"{at:g}" if (at := one.steps_at(share)) is not None else MISSED for share in (0.25, 0.5, 0.75)),
            )
            for arm, one, _ in found
        ),
        note=(
            "Steps after which this share of the seeds had reached it, by Kaplan and Meier: a run that missed stays at "
            "risk until the end of its budget. Descriptive: the verdicts rest on paired ratios."
        ),
    )


# Scores on the test set that only some workloads have; accuracy in percent.
_SCORES: Mapping[str, Callable[[Convergence], float | None]] = {
    "test accuracy, %": lambda run: None if run.test_accuracy is None else 100 * run.test_accuracy,
    "test bits/byte": lambda run: run.test_bits_per_byte,
}


def _known(arm: MeasuredArm, read: Callable[[Convergence], float | None]) -> list[float]:
    return [value for training in arm.curves if (value := read(training)) is not None]


def _score(values: Sequence[float], num_seeds: int) -> str:
    if not values:
        return NOT_MEASURED
    middle = f"{median(values):#.4g}"
    return middle if len(values) == num_seeds else f"{middle} ({len(values)} of {num_seeds} seeds)"


def _times_to_target(workload: WorkloadReport, arm: MeasuredArm) -> tuple[str, str]:
    steps, seconds = workload.steps_to_target(arm), workload.seconds_to_target(arm)
    return _points(steps, lambda count: f"{count:g}"), _points(seconds, format_seconds)


def _points(values: Sequence[float | None], words: Callable[[float], str]) -> str:
    """Return each value; of more than a table has room for the median and the range, a miss being later than any."""
    if len(values) > 1 and all(value is None for value in values):
        return f"{MISSED} by all {len(values)}"
    told = [math.inf if value is None else value for value in values]
    points = [MISSED if math.isinf(value) else words(value) for value in told]
    if len(points) <= _MAX_POINTS:
        return ", ".join(points) or NOT_MEASURED
    middle, least, most = (
        MISSED if math.isinf(value) else words(value) for value in (median(told), min(told), max(told))
    )
    missed = f", {points.count(MISSED)} of {len(points)} {MISSED}" if MISSED in points else ""
    return f"{middle} ({least} to {most}{missed})"


def _median(losses: Sequence[float | None]) -> str:
    finite = [loss for loss in losses if loss is not None]
    if not losses:
        return NOT_MEASURED
    middle = _loss(median(finite)) if finite else "none"
    return middle if len(finite) == len(losses) else f"{middle} ({len(finite)} of {len(losses)} seeds)"


def _range(losses: Sequence[float | None]) -> str:
    finite = [loss for loss in losses if loss is not None]
    return f"{_loss(min(finite))} to {_loss(max(finite))}" if finite else NOT_MEASURED


def _trivial_levels(arms: Sequence[MeasuredArm]) -> dict[str, float]:
    """Return the trivial levels by name, each the median of what the runs have stored, the highest first."""
    losses: defaultdict[str, list[float]] = defaultdict(list)
    for level in (level for arm in arms for curve in arm.curves for level in curve.trivial_levels or ()):
        losses[level.name].append(level.validation_loss)
    return dict(sorted(((name, median(found)) for name, found in losses.items()), key=lambda each: -each[1]))


def _loss(loss: float) -> str:
    return f"{loss:.4f}" if abs(loss) < 1000 else f"{loss:.3g}"  # one that blew up needs no more
