"""What the clocks of a run say of each other: its own clock of training, the steps that are timed alone, the parent's.

A training clock is *clean* where its run had the machine for itself: one job, and nothing that disturbs a timing. What
is not clean stands beside clean clocks of the arm only as a count, and alone only with a mark. A clock is compared with
steps that were timed under the same limits (affinity, control groups), and with no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.disturbances import disturbances, is_clean
from evabench.records.convergence import Convergence
from evabench.records.run import Run
from evabench.records.step_time import StepTime
from evabench.units import Seconds

MAX_DISAGREEMENT = 0.1  # of two clocks of one thing
_UNTOLD_SECONDS = 1.0  # of a run, that no part of it has to account for: a fork, a reply, the end of a process


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingClock:
    """The clock of the runs of one arm that came to the end of their budget, medians over those that count."""

    seconds: Seconds
    step_seconds: Seconds | None  # without the first step and the waits for batches; None: one step, or none
    over_timed: float | None  # that over the step that was timed alone; None: not timed
    num_runs: int  # that count: the clean ones, or all where none is
    num_disturbed: int  # of all runs
    num_shared: int  # of all runs: made several at once
    most_jobs: int
    num_other_limits: int  # of all runs: made under other limits than those that count
    clean: bool  # whether those that count are clean

    @property
    def disagrees(self) -> bool:
        """Return whether training and timing disagree about the step."""
        return self.over_timed is not None and not 1 - MAX_DISAGREEMENT <= self.over_timed <= 1 + MAX_DISAGREEMENT


def training_clock(arm: MeasuredArm) -> TrainingClock | None:
    """Return what the clocks of training come to; None where no run came to the end of its budget."""
    ended = [run for run in arm.trainings.values() if _ended(run)]
    if not ended:
        return None
    alike = _under_the_same_limits(arm, ended)
    clean = [run for run in alike if is_clean(run.conditions)]
    curves = [run.measured for run in clean or alike if isinstance(run.measured, Convergence)]
    steps = [seconds for curve in curves if (seconds := _own_step(curve)) is not None]
    step_seconds = median(steps) if steps else None
    timed = arm.amortised_seconds if arm.timed_under(alike[0].conditions.limits) else None
    return TrainingClock(
        seconds=median(curve.clock_seconds for curve in curves),
        step_seconds=step_seconds,
        over_timed=step_seconds / timed if step_seconds is not None and timed else None,
        num_runs=len(curves),
        num_disturbed=sum(bool(disturbances(run.conditions)) for run in ended),
        num_shared=sum(run.conditions.jobs > 1 for run in ended),
        most_jobs=max(run.conditions.jobs for run in ended),
        num_other_limits=len(ended) - len(alike),
        clean=bool(clean),
    )


def _under_the_same_limits(arm: MeasuredArm, runs: Sequence[Run]) -> list[Run]:
    """Return the runs made under the limits of the timed steps; where none is, the most that share theirs."""
    timed = [run for run in runs if arm.timed_under(run.conditions.limits)]
    series = ([run for run in runs if run.conditions.limits == one.conditions.limits] for one in runs)
    return timed or max(series, key=len)


def ahead_of_the_parent(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the runs whose own clock counted over 10 % more than the parent saw them run: one of the two is wrong."""
    return tuple(run for run in runs if _is_ahead(run))


def behind_the_parent(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the trainings whose set-up, training and evaluations leave over 10 % of what the parent saw untold.

    A second is always allowed. Runs from before evaluations were timed are left out.
    """
    return tuple(run for run in runs if _is_behind(run))


def told_seconds(run: Run) -> Seconds | None:
    """Return what a training accounts for by its own clock; None where a part of it was not measured."""
    curve = run.measured
    if not isinstance(curve, Convergence) or curve.evaluation_seconds is None or run.setup_seconds is None:
        return None
    return run.setup_seconds + curve.clock_seconds + curve.evaluation_seconds + (curve.watch_seconds or 0.0)


def _is_behind(run: Run) -> bool:
    told, watched = told_seconds(run), run.conditions.seconds
    if told is None or watched is None:
        return False
    return watched - told > max(MAX_DISAGREEMENT * watched, _UNTOLD_SECONDS)


def _is_ahead(run: Run) -> bool:
    own, watched = told_seconds(run) or _own_seconds(run), run.conditions.seconds
    return own is not None and watched is not None and own > (1 + MAX_DISAGREEMENT) * watched


def _own_seconds(run: Run) -> Seconds | None:
    match run.measured:
        case Convergence(evaluations=(*_, last)):
            return last.seconds
        case StepTime(block_seconds=blocks):
            return sum(blocks)
        case _:
            return None


def _ended(run: Run) -> bool:
    return isinstance(run.measured, Convergence) and run.measured.final_validation_loss is not None


def _own_step(curve: Convergence) -> Seconds | None:
    """Return a step of training, with its share of a refresh: what the timed steps should come to."""
    apart = curve.first_step_seconds
    steps = curve.budget_steps - (apart is not None)
    if steps < 1:
        return None
    spent = curve.clock_seconds - (apart or 0.0) - (curve.input_wait_seconds or 0.0)
    return spent / steps if spent > 0 else None
