"""Which suites could judge a claim, and what a claim lacks that none can. Nothing is measured here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from evabench.claims.conditions import claimed_workload
from evabench.settings.claims import TO_TARGET, Claim, Quantity
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.methods import METHODS, method_of, title_of
from evabench.settings.synthetic import SyntheticSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.widths import MIN_WIDTHS
from evabench.suite.claims import NEEDED_KINDS
from evabench.suite.suite import Suite

_OF_THE_WIDTH: tuple[Quantity, ...] = ("curvature_growth", "curvature_bytes_ratio", "work_growth", "cost_exponent")
SMOKE = "smoke"  # the tier that shows that a suite runs: it judges nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciders:
    """What could judge one claim, and what is missing."""

    as_stated: tuple[Suite, ...]  # a size of each suite that has the claim's own conditions
    here: tuple[Suite, ...]  # of each suite that measures it on workloads of its own
    lacking: tuple[str, ...]  # sentences: why nothing measures it as stated; empty where something does


def sizes(suites: Iterable[Suite]) -> tuple[Suite, ...]:
    """Return every tier of each suite but the smoke tier; a suite without tiers is its own one size."""
    return tuple(
        size for suite in suites for size in ([suite.at(tier) for tier in suite.tiers if tier != SMOKE] or [suite])
    )


def deciders(claim: Claim, every_size: Sequence[Suite]) -> Deciders:
    """Return which sizes of suites could judge a claim that was made elsewhere."""
    measuring = tuple(size for size in every_size if _measures(claim, size))
    named = [size for size in measuring if size.name in claim.decided_by]
    as_stated = _smallest(size for size in named if _has_conditions(claim, size))
    lacking = () if as_stated else tuple(_lacking(claim, every_size, bool(measuring)))
    here = tuple(size for size in _smallest(measuring) if all(size is not one for one in as_stated))
    return Deciders(as_stated=as_stated, here=here, lacking=lacking)


def _smallest(found: Iterable[Suite]) -> tuple[Suite, ...]:
    """Return the first of its sizes of each suite: a file has its tiers from small to large."""
    first: dict[str, Suite] = {}
    for size in found:
        first.setdefault(size.name, size)
    return tuple(first.values())


def _measures(claim: Claim, size: Suite) -> bool:
    methods = {method_of(settings) for settings in size.arms.values()}
    if claim.arm not in methods or not methods & set(claim.bases):
        return False
    if not all(kind in size.tables for kind in NEEDED_KINDS[claim.quantity]):
        return False
    if claim.quantity in TO_TARGET and not (size.convergence and size.convergence.targets):
        return False
    if claim.quantity in _OF_THE_WIDTH:
        return _num_widths(claim.quantity, size) >= MIN_WIDTHS
    workloads = [workload for workload in size.workloads.values() if not workload.stand_in]
    if claim.quantity == "validation_accuracy_difference":
        return any(isinstance(workload, ClassifierSettings) for workload in workloads)
    return bool(workloads)


def _num_widths(quantity: Quantity, size: Suite) -> int:
    """Return at how many widths one net is measured: equal layers are workloads of their own, others are scaled."""
    if quantity in ("work_growth", "cost_exponent"):
        return len({one.width for one in size.workloads.values() if isinstance(one, SyntheticSettings)})
    memory = size.measurements.memory
    return len(memory.width_scales) if memory else 0


def _has_conditions(claim: Claim, size: Suite) -> bool:
    return not claim.conditions or any(_is_claimed(claim, workload) for workload in size.workloads.values())


def _is_claimed(claim: Claim, workload: WorkloadSettings) -> bool:
    named = claimed_workload(claim, workload)
    return named is not None and named.batch in (None, workload.batch)


def _lacking(claim: Claim, every_size: Sequence[Suite], measured: bool) -> Iterator[str]:
    """Yield what no suite that ships has: arms first, then the conditions."""
    has = {method_of(settings) for size in every_size for settings in size.arms.values()}
    if claim.arm not in has:
        yield _no_arm(claim.arm)
    if not has & set(claim.bases):
        yield from map(_no_arm, claim.bases)
    if claim.arm in has and has & set(claim.bases) and not measured:
        yield "No suite that ships has both arms and measures what is claimed."
    if claim.conditions:
        theirs = ", ".join(f"{one.model} on {one.data}" for one in claim.conditions)
        yield f"No suite that ships trains {theirs} as the claim has it."


def _no_arm(method: str) -> str:
    known = METHODS.get(method)
    if known is None or not known.plugins:
        why = f": {known.lacking}" if known else ""
        return f"No suite that ships has an arm of {title_of(method)}{why}."
    return (
        f"No suite that ships has an arm of {known.title}. Give a suite one: "
        f'optimizer = "plugin", name = "{known.plugins[0]}".'
    )
