"""Sampled comparisons on one workload: the claim's arm against the strongest of its baselines.

Several arms of a baseline, such as K-FAC refreshed at every step and at every tenth, are compared each; the strongest
decides and the others are listed. The strongest has the smallest median time to the target, or for step times the
cheapest step. Of several arms of the claim's own optimizer the one that bears its plain title decides; where none
does, each counts as a comparison of its own, and they share the error.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evabench.claims.claim import Claim, ClaimedWorkload, Evidence
from evabench.claims.compared import ComparedWorkload
from evabench.claims.conditions import claimed_workload, differences
from evabench.claims.judge import WorkloadBounds
from evabench.findings.arm import MeasuredArm
from evabench.findings.goals import Goal
from evabench.records.host import Host
from evabench.stats.decomposition import decompose
from evabench.stats.paired import paired_ratio
from evabench.stats.time_to_target import SpeedUp, median_seconds, speed_up


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
    workload: ComparedWorkload
    host: Host
    arm: MeasuredArm
    base: MeasuredArm
    label: str
    decides: bool
    notes: tuple[str, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        return differences(self.claim, self.host, self.arm, self.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a quantity that is sampled is compared."""

    to_target: bool  # whether it takes a target, and runs that carry it
    strength: Callable[[ComparedWorkload, MeasuredArm], float | None]  # smaller is stronger; None: cannot be compared
    compare: Callable[[_Pairing], Comparison | None]
    strongest: str  # "has the cheapest step"
    needed: str  # of an arm: "timed"


def compare(claim: Claim, sampling: Sampling, workload: ComparedWorkload, host: Host) -> tuple[Comparison, ...]:
    """Return every comparison for this claim that the runs of one workload allow, the deciding ones first."""
    if refusal(claim, sampling, workload):
        return ()
    strengths = {id(arm): sampling.strength(workload, arm) for arm in workload.arms}
    against = workload.against(claim)
    bases = [base for base in against if strengths[id(base)] is not None]
    bases.sort(key=lambda base: (strengths[id(base)], base.name))
    arms = [arm for arm in workload.speaking_for(claim) if strengths[id(arm)] is not None]
    left_out = [base.name for base in against if strengths[id(base)] is None]
    found = []
    for position, base in enumerate(bases):
        for arm in arms:
            pairing = _Pairing(
                claim=claim,
                workload=workload,
                host=host,
                arm=arm,
                base=base,
                label=workload.name if len(arms) == 1 else f"{workload.name} ({arm.name})",
                decides=position == 0,
                notes=(*_choice_notes(base, bases, left_out, sampling), *arm.excluded, *base.excluded),
            )
            comparison = sampling.compare(pairing)
            if comparison is not None:
                found.append(comparison)
    return tuple(found)


def _choice_notes(
    base: MeasuredArm, bases: Sequence[MeasuredArm], left_out: Sequence[str], sampling: Sampling
) -> Iterator[str]:
    if len(bases) > 1:
        others = ", ".join(one.name for one in bases[1:])
        yield f"{bases[0].name} decides: it {sampling.strongest} of the baselines; also compared: {others}."
    if left_out and base is bases[0]:
        yield from (f"{arm} could not be compared: it was not {sampling.needed}." for arm in left_out)


def refusal(claim: Claim, sampling: Sampling, workload: ComparedWorkload) -> str | None:
    """Return why the claim must not be judged on this workload, as a sentence; None where nothing is in the way."""
    return workload.refusal(claim) if sampling.to_target else None


def missing(claim: Claim, sampling: Sampling, workload: ComparedWorkload) -> str:
    """Return what a comparison of this workload lacks, as a sentence."""
    refused = refusal(claim, sampling, workload)
    if refused:
        return refused
    for arms, tags in ((workload.speaking_for(claim), (claim.arm,)), (workload.against(claim), claim.bases)):
        if not arms:
            return f"On {workload.name} there are no runs of {' or '.join(tags)}."
    if sampling.to_target and workload.target is None:
        return f"There is no target for {workload.name}."
    return f"On {workload.name} not every arm that the claim compares was {sampling.needed}."


def is_candidate(claim: Claim, sampling: Sampling, workload: ComparedWorkload) -> bool:
    """Return whether this workload has what the claim is about, so that a missing comparison is a gap."""
    has_target = not sampling.to_target or workload.target is not None
    return has_target and bool(workload.speaking_for(claim)) and bool(workload.against(claim))


def _median_time(workload: ComparedWorkload, arm: MeasuredArm) -> float | None:
    seconds = arm.seconds_to(workload.target) if workload.target is not None else None
    return median_seconds(seconds) if seconds else None


def _step_time(_: ComparedWorkload, arm: MeasuredArm) -> float | None:
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
        arm=pair.arm.name,
        base=pair.base.name,
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
        arm=pair.arm.name,
        base=pair.base.name,
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
        (ratio.num_base_missed, f"only {pair.base.name} missed the target"),
        (ratio.num_arm_missed, f"only {pair.arm.name} missed the target"),
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
    # Each arm's clocks and timed steps share their limits; without a pair of visits the two arms' may not.
    factors = decompose(base, arm) if base and arm and step_times else None
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


TIMES_TO_TARGET = Sampling(
    to_target=True,
    strength=_median_time,
    compare=_times_to_target,
    strongest="has the smallest median time to the target",
    needed="both timed and trained",
)
STEP_TIMES = Sampling(
    to_target=False,
    strength=_step_time,
    compare=_step_times,
    strongest="has the cheapest step",
    needed="timed",
)
