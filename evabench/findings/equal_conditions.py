"""Equal conditions, checked: what each arm's own runs say, beside those of the other arms of its workload.

A check has a name, a threshold with its reason, and a sentence. One that fails makes no comparison with this arm valid,
in whichever direction it points. What was not measured fails nothing. `docs/measurement.md` has the table.

Where arms are compared, the built-in ones say what is usual: their code is here for everybody to read. Where an arm is
the only one, or no built-in arm stands beside it, such a check has nothing to say.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from evabench.findings.arm import MeasuredArm
from evabench.findings.equal_memory import unequal_memory
from evabench.findings.equal_times import unequal_times
from evabench.findings.failed_check import FailedCheck
from evabench.findings.own_conditions import own_conditions
from evabench.findings.watched import Found, curves
from evabench.records.convergence import Convergence
from evabench.settings.plugin_optimizers import PluginSettings

Value = TypeVar("Value")

# Of two floating-point results of one computation: on a CPU they are equal, on a device sums may have another order.
_SAME = 1e-6


def with_equal_conditions_checked(arms: Iterable[MeasuredArm]) -> tuple[MeasuredArm, ...]:
    """Return the arms, each with the checks of equal conditions that it did not pass."""
    arms = tuple(arms)
    groups: defaultdict[tuple[object, ...], list[MeasuredArm]] = defaultdict(list)
    for arm in arms:
        groups[_conditions(arm)].append(arm)
    return tuple(replace(arm, unequal=tuple(_failed(arm, groups[_conditions(arm)]))) for arm in arms)


def _conditions(arm: MeasuredArm) -> tuple[object, ...]:
    """Return what arms must have in common to start alike."""
    return arm.workload_name, repr(arm.workload), arm.ranks, arm.threads, arm.device


def _failed(arm: MeasuredArm, group: Sequence[MeasuredArm]) -> Iterator[FailedCheck]:
    others = [other for other in group if other.name != arm.name or other.optimizer != arm.optimizer]
    usual = [other for other in others if not isinstance(other.optimizer, PluginSettings)]
    checks = (
        own_conditions(arm),
        _equal_conditions(arm, others, usual),
        unequal_times(arm, usual),
        unequal_memory(arm, usual),
    )
    for found in checks:
        for name, about, finding in found:
            yield FailedCheck(name, f"{arm.name} on {arm.workload_name} {finding}.", about)


def _equal_conditions(arm: MeasuredArm, others: Sequence[MeasuredArm], usual: Sequence[MeasuredArm]) -> Found:
    """Yield where an arm does not start, or go on, as the other arms of its seeds do."""
    for name, read, words in (
        ("initial loss", _initial_loss, "a validation loss before step 1"),
        ("first batch", _first_loss, "a loss of batch 1"),
    ):
        for seed, own, reference in _beside(arm, others, usual, read):
            if abs(own - reference) > _SAME * max(abs(own), abs(reference)):
                finding = f"has {words} of {own:.7g} where the other arms of seed {seed} have {reference:.7g}"
                yield name, "losses", finding
                break
    others, usual = ([one for one in arms if one.budget == arm.budget] for arms in (others, usual))
    for seed, own_order, order in _beside(arm, others, usual, _order):
        if own_order != order:
            yield "order of samples", "losses", f"drew other samples than the other arms of seed {seed}"
            break
    for seed, own_content, content in _beside(arm, others, usual, _content):
        if apart := [step for step, digest in own_content.items() if content.get(step, digest) != digest]:
            yield "batches", "losses", f"saw another batch in step {apart[0]} than the other arms of seed {seed}"
            break


def _beside(
    arm: MeasuredArm,
    others: Sequence[MeasuredArm],
    usual: Sequence[MeasuredArm],
    read: Callable[[Convergence], Value | None],
) -> Iterator[tuple[int, Value, Value]]:
    """Yield seed, own value and that of the other arms: what most of the built-in ones have, else most of all."""
    for seed, curve in sorted(curves(arm).items()):
        own = read(curve)
        # A built-in arm is not held against a user's own: of two that differ, the other one would be to blame as well.
        for arms in (usual, others) if isinstance(arm.optimizer, PluginSettings) else (usual,):
            values = [value for one in arms if (there := curves(one).get(seed)) and (value := read(there)) is not None]
            if own is not None and values:
                yield seed, own, _most_common(values)
                break


def _most_common(values: Sequence[Value]) -> Value:
    counts = Counter(map(repr, values))
    return max(values, key=lambda value: counts[repr(value)])


def _initial_loss(curve: Convergence) -> float | None:
    first = curve.evaluations[0] if curve.evaluations else None
    return first.validation_loss if first is not None and first.step == 0 else None


def _first_loss(curve: Convergence) -> float | None:
    return curve.training_losses[0] if curve.training_losses else None


def _order(curve: Convergence) -> tuple[int, str] | None:
    """Return the digest of a run that went to its budget: others have drawn less."""
    whole = curve.final_validation_loss is not None and curve.checks is not None
    return (curve.budget_steps, curve.checks.order_digest) if whole and curve.checks else None


def _content(curve: Convergence) -> dict[int, str] | None:
    return {batch.step: batch.digest for batch in curve.checks.batches} if curve.checks else None
