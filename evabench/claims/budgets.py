"""Which training budget of each arm a claim compares, where a suite trains to several.

1. The claim's own, for the part that the arm plays in it: the paper trains Eva for 100 epochs and SGD for 200.
2. Else one that all arms of the workload were trained to: of several the one with most runs, of equals the longest.
3. Where they have none in common, each arm's own with most runs: a suite that gives every arm its own budget.

What is left out is said beside the comparison; a report shows every budget in a table of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from evabench.claims.conditions import claimed_epochs
from evabench.findings.arm import MeasuredArm
from evabench.records.measurement import ConvergenceSettings
from evabench.settings.claims import Claim


def at_one_budget(claim: Claim, arms: Sequence[MeasuredArm]) -> tuple[MeasuredArm, ...]:
    """Return each arm of one workload once, in order, at the budget that this claim compares."""
    choices: defaultdict[tuple[str, str], list[MeasuredArm]] = defaultdict(list)
    for arm in arms:
        choices[arm.name, repr(arm.optimizer)].append(arm)
    common = _common_budget([choice for choice in choices.values() if choice[0].budget is not None])
    return tuple(_chosen(claim, choice, common) for choice in choices.values())


def _chosen(claim: Claim, choice: Sequence[MeasuredArm], common: ConvergenceSettings | None) -> MeasuredArm:
    stated = claimed_epochs(claim, choice[0])
    as_stated = [arm for arm in choice if arm.epochs is not None and arm.epochs in stated]
    in_common = [arm for arm in choice if arm.budget == common]
    chosen = max(as_stated or in_common or choice, key=_size)
    num_left_out = sum(len(arm.trainings) for arm in choice) - len(chosen.trainings)
    if not num_left_out:
        return chosen
    note = f"{chosen.name}: {num_left_out} runs of another budget or another number of threads were left out."
    return replace(chosen, excluded=(*chosen.excluded, note))


def _common_budget(choices: Sequence[Sequence[MeasuredArm]]) -> ConvergenceSettings | None:
    """Return the budget that every arm has; None where there is none."""
    runs: defaultdict[ConvergenceSettings, list[int]] = defaultdict(list)
    for choice in choices:
        for arm in choice:
            if arm.budget is not None:
                runs[arm.budget].append(len(arm.trainings))
    shared = [budget for budget, numbers in runs.items() if len(numbers) >= len(choices)]
    return max(shared, key=lambda budget: (min(runs[budget]), budget.steps), default=None)


def _size(arm: MeasuredArm) -> tuple[int, int]:
    return len(arm.trainings), arm.budget.steps if arm.budget else 0
