"""Whether an arm's learning rate is a good one: the same arm at a third of it and at three times it.

The runs are of role "rate_check": never judged. They say one thing of a baseline: at another rate it would have ended
better than in any seed that was judged, so whoever beats it beats a rate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from evabench.findings.arm import MeasuredArm
from evabench.records.convergence import Convergence
from evabench.records.measurement import ConvergenceSettings
from evabench.records.run import Run
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.points import at_rate, rate_of
from evabench.settings.targets import TargetMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCheck:
    """The runs of one arm at one other rate."""

    workload_name: str
    arm: str
    budget: ConvergenceSettings
    optimizer: OptimizerSettings  # at the other rate
    runs: tuple[Run, ...]

    @property
    def rate(self) -> float:
        """Return the other rate."""
        rate = rate_of(self.optimizer)
        assert rate is not None
        return rate

    def is_of(self, arm: MeasuredArm) -> bool:
        """Return whether it was made of an arm as it was judged, but for the rate."""
        own = rate_of(arm.optimizer)
        where = (arm.workload_name, arm.name, arm.budget)
        if own is None or where != (self.workload_name, self.arm, self.budget):
            return False
        return at_rate(arm.optimizer, self.rate) == self.optimizer

    def is_better_than(self, arm: MeasuredArm, metric: TargetMetric) -> bool:
        """Return whether every run of it ended better than every judged seed of the arm."""
        judged = [arm.validation(seed, metric) for seed in arm.trainings]
        ended = [_final(run, metric) for run in self.runs]
        if not judged or not ended or None in ended:
            return False
        sign = -1.0 if metric == "accuracy" else 1.0
        worst = max(sign * value for value in ended if value is not None)
        return all(value is None or worst < sign * value for value in judged)


def rate_checks(runs: Iterable[Run]) -> tuple[RateCheck, ...]:
    """Return the checks that the runs of role "rate_check" make, in their order."""
    found: dict[tuple[str, str, str, str], RateCheck] = {}
    for run in runs:
        cell = run.cell
        if cell.role == "rate_check" and isinstance(cell.measurement, ConvergenceSettings):
            key = (cell.workload_name, cell.arm, repr(cell.measurement), repr(cell.optimizer))
            known = found.get(key) or RateCheck(
                workload_name=cell.workload_name,
                arm=cell.arm,
                budget=cell.measurement,
                optimizer=cell.optimizer,
                runs=(),
            )
            found[key] = replace(known, runs=(*known.runs, run))
    return tuple(found.values())


def better_rate(checks: Sequence[RateCheck], arm: MeasuredArm, metric: TargetMetric) -> float | None:
    """Return another rate at which the arm ended better than in any judged seed; None: none that was tried."""
    return next((one.rate for one in checks if one.is_of(arm) and one.is_better_than(arm, metric)), None)


def _final(run: Run, metric: TargetMetric) -> float | None:
    measured = run.measured
    if not run.outcome.completed or not isinstance(measured, Convergence) or not measured.evaluations:
        return None
    last = measured.evaluations[-1]
    return last.validation_accuracy if metric == "accuracy" else last.validation_loss
