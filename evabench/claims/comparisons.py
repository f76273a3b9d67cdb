"""Sampled comparisons on one workload: the claim's arm against the strongest of its baselines.

Several arms of a baseline, such as K-FAC refreshed at every step and at every tenth, are compared each; the strongest
decides and the others are listed. The strongest has the smallest median time to the target, or for step times the
cheapest step. Of several arms of the claim's own optimizer the one that bears its plain title decides; where none
does, each counts as a comparison of its own, and they share the error.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evabench.claims.claim import Claim, ClaimedWorkload, Evidence
from evabench.claims.conditions import claimed_workload, differences
from evabench.claims.judge import WorkloadBounds
from evabench.findings.arms import MeasuredArm
from evabench.records.host import Host
from evabench.stats.decomposition import decompose
from evabench.stats.paired import paired_ratio
from evabench.stats.time_to_target import Goal, SpeedUp, median_seconds, speed_up

MAX_REFERENCE_MISSES = 0.25

# Smaller is stronger; None: this arm lacks what the comparison needs.
Strength = Callable[[MeasuredArm], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The arms of one workload, and its target."""

    name: str
    arms: tuple[MeasuredArm, ...]
    target: Goal | None
    reference: str | None  # the arm whose own runs set the target; None: the target is a number of the suite
    without_target: frozenset[str] = frozenset()  # arms whose runs carry no target, or another one
    better_reference: str | None = None  # what is better than the arm that set the target; None: nothing

    def speaking_for(self, claim: Claim) -> list[MeasuredArm]:
        """Return the arms of the claim's own optimizer that count."""
        arms = [one for one in self.arms if one.optimizer.optimizer == claim.arm]
        return [one for one in arms if one.arm == one.optimizer.title] or arms

    def against(self, claim: Claim) -> list[MeasuredArm]:
        """Return the arms of the claim's baselines."""
        return [one for one in self.arms if one.optimizer.optimizer in claim.bases]

    def refusal(self, claim: Claim) -> str | None:
        """Return why the claim must not be judged here, as a sentence; None where nothing is in the way."""
        arms, bases = self.speaking_for(claim), self.against(claim)
        if claim.quantity != "time_to_target_ratio" or not arms or not bases:
            return None
        compared = dict.fromkeys(one.arm for one in (*arms, *bases))
        without = [arm for arm in compared if arm in self.without_target]
        if without:
            return (
                f"On {self.name} nothing is compared: the runs of {', '.join(without)} carry no target, or another "
                "than the one that is set now. `evabench run` makes them anew."
            )
        if self.better_reference:
            return f"On {self.name} nothing is compared: {self.better_reference}."
        return None

    def doubt(self) -> str | None:
        """Return why this target decides nothing: the arm that set it misses it too often itself."""
        for one in self.arms:
            if self.target is not None and one.arm == self.reference:
                share = one.missed_share(self.target)
                if share > MAX_REFERENCE_MISSES:
                    return f"has a target that {one.arm}, which set it, missed in {share:.0%} of its seeds"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Evidence, and the bounds that the rules judge."""

    evidence: Evidence
    bounds: WorkloadBounds
    named: ClaimedWorkload | None  # the claim's own workload that this is


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairing:
    """One arm against one baseline, before anything is computed."""

    claim: Claim
    workload: Workload
    host: Host
    arm: MeasuredArm
    base: MeasuredArm
    label: str
    decides: bool
    notes: tuple[str, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        return differences(self.claim, self.host, self.arm, self.base)


def compare(claim: Claim, workload: Workload, host: Host) -> tuple[Comparison, ...]:
    """Return every comparison for this claim that the runs of one workload allow, the deciding ones first."""
    if workload.refusal(claim):
        return ()
    by_time = claim.quantity == "time_to_target_ratio"
    strength = _median_time(workload) if by_time else _step_time
    bases = [base for base in workload.against(claim) if strength(base) is not None]
    bases.sort(key=lambda base: (strength(base), base.arm))
    arms = [arm for arm in workload.speaking_for(claim) if strength(arm) is not None]
    left_out = [base.arm for base in workload.against(claim) if strength(base) is None]
    found = []
    for position, base in enumerate(bases):
        for arm in arms:
            pairing = _Pairing(
                claim=claim,
                workload=workload,
                host=host,
                arm=arm,
                base=base,
                label=workload.name if len(arms) == 1 else f"{workload.name} ({arm.arm})",
                decides=position == 0,
                notes=(*_choice_notes(base, bases, left_out, by_time), *arm.excluded, *base.excluded),
            )
            comparison = _times_to_target(pairing) if by_time else _step_times(pairing)
            if comparison is not None:
                found.append(comparison)
    return tuple(found)


def _choice_notes(
    base: MeasuredArm, bases: Sequence[MeasuredArm], left_out: Sequence[str], by_time: bool
) -> Iterator[str]:
    if len(bases) > 1:
        what = "has the smallest median time to the target" if by_time else "has the cheapest step"
        others = ", ".join(one.arm for one in bases[1:])
        yield f"{bases[0].arm} decides: it {what} of the baselines; also compared: {others}."
    if left_out and base is bases[0]:
        lacks = "it was not both timed and trained" if by_time else "it was not timed"
        yield from (f"{arm} could not be compared: {lacks}." for arm in left_out)


def missing(claim: Claim, workload: Workload) -> str:
    """Return what a comparison of this workload lacks, as a sentence."""
    refusal = workload.refusal(claim)
    if refusal:
        return refusal
    by_time = claim.quantity == "time_to_target_ratio"
    for arms, tags in ((workload.speaking_for(claim), (claim.arm,)), (workload.against(claim), claim.bases)):
        if not arms:
            return f"On {workload.name} there are no runs of {' or '.join(tags)}."
    if by_time and workload.target is None:
        return f"There is no target for {workload.name}."
    needed = "was both timed and trained" if by_time else "was timed"
    return f"On {workload.name} not every arm that the claim compares {needed}."


def is_candidate(claim: Claim, workload: Workload) -> bool:
    """Return whether this workload has what the claim is about, so that a missing comparison is a gap."""
    has_target = claim.quantity != "time_to_target_ratio" or workload.target is not None
    return has_target and bool(workload.speaking_for(claim)) and bool(workload.against(claim))


def _median_time(workload: Workload) -> Strength:
    def strength(arm: MeasuredArm) -> float | None:
        seconds = arm.seconds_to(workload.target) if workload.target is not None else None
        return median_seconds(seconds) if seconds else None

    return strength


def _step_time(arm: MeasuredArm) -> float | None:
    return arm.amortised_seconds


def _times_to_target(pair: _Pairing) -> Comparison | None:
    target = pair.workload.target
    assert target is not None
    base_seconds, arm_seconds = pair.base.seconds_to(target), pair.arm.seconds_to(target)
    ratio = speed_up(base_seconds or {}, arm_seconds or {})
    if ratio is None:
        return None
    steps_ratio = paired_ratio(pair.base.step_seconds, pair.arm.step_seconds)
    bounds = WorkloadBounds(
        workload=pair.label,
        bounds=ratio,
        num_pairs=steps_ratio.num_pairs if steps_ratio else 0,
        num_seeds=ratio.num_seeds,
        doubt=pair.workload.doubt(),
    )
    evidence = Evidence(
        workload=pair.label,
        arm=pair.arm.arm,
        base=pair.base.arm,
        decides=pair.decides,
        estimate=ratio.estimate,
        low=ratio.interval.low if ratio.interval else None,
        high=ratio.interval.high if ratio.interval else None,
        level=ratio.interval.level if ratio.interval else None,
        lower_bound=ratio.lower_bound(pair.claim.alpha),
        upper_bound=ratio.upper_bound(pair.claim.alpha),
        bound_alpha=pair.claim.alpha,
        num_pairs=bounds.num_pairs,
        num_seeds=bounds.num_seeds,
        differences=pair.differences,
        notes=pair.notes + _miss_notes(pair, ratio),
        numbers=_factors(pair, target),
    )
    return Comparison(evidence=evidence, bounds=bounds, named=claimed_workload(pair.claim, pair.arm.workload))


def _step_times(pair: _Pairing) -> Comparison | None:
    ratio = paired_ratio(pair.arm.step_seconds, pair.base.step_seconds)
    if ratio is None:
        return None
    bounds = WorkloadBounds(workload=pair.label, bounds=ratio, num_pairs=ratio.num_pairs)
    evidence = Evidence(
        workload=pair.label,
        arm=pair.arm.arm,
        base=pair.base.arm,
        decides=pair.decides,
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        level=ratio.interval.level,
        lower_bound=ratio.lower_bound(pair.claim.alpha),
        upper_bound=ratio.upper_bound(pair.claim.alpha),
        bound_alpha=pair.claim.alpha,
        num_pairs=ratio.num_pairs,
        differences=pair.differences,
        notes=pair.notes,
    )
    return Comparison(evidence=evidence, bounds=bounds, named=claimed_workload(pair.claim, pair.arm.workload))


def _miss_notes(pair: _Pairing, ratio: SpeedUp) -> tuple[str, ...]:
    counts = (
        (ratio.num_base_missed, f"only {pair.base.arm} missed the target"),
        (ratio.num_arm_missed, f"only {pair.arm.arm} missed the target"),
        (ratio.num_both_missed, "both arms missed the target"),
    )
    return tuple(f"In {count} of {ratio.num_seeds} seeds {what}." for count, what in counts if count)


def _factors(pair: _Pairing, target: Goal) -> dict[str, float]:
    """Return base over arm, as factors: above 1 the arm is better."""
    numbers: dict[str, float] = {}
    step_times = paired_ratio(pair.base.step_seconds, pair.arm.step_seconds)
    if step_times is not None and step_times.num_pairs > 1:
        numbers |= {"step_time_factor_low": step_times.low, "step_time_factor_high": step_times.high}
    base, arm = pair.base.reached(target), pair.arm.reached(target)
    factors = decompose(base, arm) if base and arm else None
    if factors is None:
        return numbers
    if factors.rest_factor is not None:
        numbers["rest_factor"] = factors.rest_factor
    return {
        **numbers,
        "steps_factor": factors.steps_factor,
        "step_time_factor": factors.step_time_factor,
        "num_seeds_of_factors": factors.num_seeds,
    }
