"""The rule by which an arm's own runs set a target.

From at least 8 target-setting seeds of the arm, the best value v that nine tenths of them, rounded up, hit within a
share of their budget: all of 8, 9 of 10. `goals` says what a hit is. The median of the final metric would
not do: the arm would then miss its own target in more than half of all experiments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from evabench.records.cell import Cell
from evabench.records.convergence import Convergence, Evaluation
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.settings.targets import EASIER_AT, HARDER_AT, MIN_TARGET_SEEDS, Target, TargetMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTarget:
    """Why the runs of a cell, all of which ended, have set no target: a sentence."""

    cell: Cell
    reason: str


def best_hit_within(training: Convergence, share: float, metric: TargetMetric = "loss") -> float | None:
    """Return the best value that a run hits within a share of its budget, None where it hits none.

    A hit of v at an evaluation takes that and the next one at v or better, so v is the worse of the two.
    """
    due = share * training.budget_steps * (1 + 1e-9)  # 0.57 x 100 is less than 57
    worse, better = (min, max) if metric == "accuracy" else (max, min)
    values = []
    for first, second in pairwise(evaluation for evaluation in training.evaluations if evaluation.step > 0):
        one, other = _score(first, metric), _score(second, metric)
        if first.step <= due and one is not None and other is not None:
            values.append(worse(one, other))
    return better(values, default=None)


def num_needed(num_runs: int) -> int:
    """Return nine tenths of the runs, rounded up."""
    return -(-9 * num_runs // 10)


def target_value(trainings: Sequence[Convergence | None], share: float, metric: TargetMetric = "loss") -> float | None:
    """Return the best value that nine tenths of the runs hit within a share of the budget; None where there is none.

    None among the runs is one that diverged: it hits nothing, and counts.
    """
    hits = [best_hit_within(training, share, metric) if training else None for training in trainings]
    values = sorted((value for value in hits if value is not None), reverse=metric == "accuracy")
    needed = num_needed(len(hits))
    return values[needed - 1] if 0 < needed <= len(values) else None


def set_target(asked: Target, cell: Cell, runs: Mapping[int, Run]) -> SetTarget | NoTarget:
    """Return the target that these runs of one cell set, by seed, or why they set none.

    A run that crashed, was killed, ran out of memory or of time says nothing about the arm and does not count.
    """
    assert asked.at is not None
    counted = [runs[seed] for seed in sorted(runs) if runs[seed].outcome.kind in {"completed", "diverged"}]
    if len(counted) < MIN_TARGET_SEEDS:
        reason = (
            f"{len(counted)} of {len(runs)} target-setting runs of {cell.arm} count and {MIN_TARGET_SEEDS} are needed; "
            "--retry-failed makes those that failed again"
        )
        return NoTarget(cell=cell, reason=reason)
    trainings = [
        run.measured if run.outcome.completed and isinstance(run.measured, Convergence) else None for run in counted
    ]
    values = {share: target_value(trainings, share, asked.metric) for share in (EASIER_AT, asked.at, HARDER_AT)}
    for share, value in values.items():
        if value is None:
            needed = f"{num_needed(len(counted))} of {len(counted)} target-setting runs of {cell.arm}"
            reason = f"there is no validation {asked.metric} that {needed} hit within {100 * share:g} % of the budget"
            return NoTarget(cell=cell, reason=reason)
    easier, value, harder = cast(list[float], list(values.values()))
    hits = [best_hit_within(training, asked.at, asked.metric) for training in trainings if training]
    at_least_as_good = [hit for hit in hits if hit is not None and not _is_better(value, hit, asked.metric)]
    return SetTarget(
        cell=cell,
        metric=asked.metric,
        at=asked.at,
        value=value,
        easier=easier,
        harder=harder,
        num_hits=len(at_least_as_good),
        run_keys=tuple(run.key for run in counted),
    )


def _score(evaluation: Evaluation, metric: TargetMetric) -> float | None:
    return evaluation.validation_accuracy if metric == "accuracy" else evaluation.validation_loss


def _is_better(value: float, than: float, metric: TargetMetric) -> bool:
    return value > than if metric == "accuracy" else value < than
