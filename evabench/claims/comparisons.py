"""Sampled comparisons on one workload: the claim's arm against its baselines.

Several arms may be a baseline, such as K-FAC refreshed at every step and at every tenth, or SGD and AdamW. The one
that decides is chosen on runs that are never judged: the trials of the tuning. Where these do not tell, every baseline
counts, so that the arm has to be judged against the strongest without choosing it on the judged runs.
Of several arms of the claim's own optimizer the one that bears its plain title decides; where none does, each counts
as a comparison of its own, and they share the error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evabench.claims.audit import Audit, audit
from evabench.claims.baseline import untried_rate
from evabench.claims.compared import ComparedWorkload
from evabench.claims.conditions import claimed_workload, differences
from evabench.claims.judge import WorkloadBounds
from evabench.claims.judgement import Evidence, Remark
from evabench.claims.validity import invalid, said_first
from evabench.findings.arm import MeasuredArm
from evabench.records.host import Host
from evabench.settings.claims import TRAINED, Claim, ClaimedWorkload
from evabench.stats.interval import Bounds, Interval
from evabench.stats.strongest import Greatest, Least


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Evidence, and the bounds that the rules judge."""

    evidence: Evidence
    bounds: WorkloadBounds
    workload_name: str  # the suite's
    invalid: tuple[str, ...]  # why it must not be judged, as sentences
    first: tuple[Remark, ...]  # what a verdict on it says first
    refuted_by: Remark | None  # what a refutation says first besides
    audit: Audit | None  # of the base; None: nothing was trained for this quantity
    named: ClaimedWorkload | None  # the one among the claim's conditions that this is


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One arm against one baseline, before anything is computed."""

    claim: Claim
    workload: ComparedWorkload
    host: Host
    arm: MeasuredArm
    base: MeasuredArm
    label: str
    decides: bool
    notes: tuple[str, ...]

    def _audit(self) -> Audit:
        return audit(self.arm, self.base, self.workload.arms, self.workload.trials, self.workload.public)

    def _first(self, bounds: WorkloadBounds) -> Iterator[Remark]:
        yield from said_first(self.arm, self.base, self.workload.arms)
        is_rival = not self.claim.local or self.claim.arm in self.claim.rivals
        asked = (self.base, self.arm) if is_rival else (self.base,)
        untried = (untried_rate(one, self.workload.rate_checks, self.workload.trials) for one in asked)
        if not bounds.obstacle:
            yield from filter(None, untried)

    def judged(
        self, bounds: Bounds, *, num_pairs: int | None = None, num_seeds: int | None = None, doubt: str | None = None
    ) -> WorkloadBounds:
        """Return bounds with what stands in the way of a verdict on them, whatever their quantity is."""
        net = self.workload
        return WorkloadBounds(
            workload=self.label,
            bounds=bounds,
            num_pairs=num_pairs,
            num_seeds=num_seeds,
            doubt=doubt or net.doubt(self.claim, self.arm, self.base),
            unsupportive=net.doubt_of_support(self.claim, self.arm, self.base),
        )

    @property
    def differences(self) -> tuple[str, ...]:
        """Return how these conditions differ from the claim's."""
        return differences(self.claim, self.host, self.arm, self.base)

    def comparison(
        self,
        bounds: WorkloadBounds,
        *,
        estimate: float | None,
        interval: Interval | None,
        notes: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
        numbers: Mapping[str, float] | None = None,
    ) -> Comparison:
        """Return the comparison that these bounds come to; notes and numbers are those of its quantity."""
        alpha = self.claim.alpha
        evidence = Evidence(
            workload=self.label,
            arm=self.arm.name,
            base=self.base.name,
            decides=self.decides,
            estimate=estimate,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            level=interval.level if interval else None,
            lower_bound=bounds.bounds.lower_bound(alpha),
            upper_bound=bounds.bounds.upper_bound(alpha),
            bound_alpha=alpha,
            num_pairs=bounds.num_pairs,
            num_seeds=bounds.num_seeds,
            differences=self.differences,
            notes=self.notes + notes + warnings,
            warnings=warnings if self.decides else (),
            numbers=numbers or {},
        )
        name, net = self.arm.workload_name, self.arm.workload
        trained = self.claim.quantity in TRAINED
        audited = self._audit() if trained else None
        return Comparison(
            evidence=evidence,
            bounds=bounds,
            workload_name=name,
            invalid=invalid(self.arm, self.base, self.claim.quantity),
            first=tuple(self._first(bounds)) if trained else (),
            refuted_by=self.workload.refuted_by(self.claim, self.arm, self.base),
            audit=audited,
            named=claimed_workload(self.claim, net),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a quantity that is sampled is compared."""

    to_target: bool  # whether it takes a target, and runs that carry it
    compared: Callable[[ComparedWorkload, MeasuredArm], bool]  # whether an arm has what a comparison takes
    compare: Callable[[Pairing], Comparison | None]
    needed: str  # of an arm: "timed"
    more_is_better: bool  # whether a larger quantity speaks for the claim's arm


def compare(claim: Claim, sampling: Sampling, workload: ComparedWorkload, host: Host) -> tuple[Comparison, ...]:
    """Return every comparison for this claim that the runs of one workload allow, the deciding ones first."""
    if refusal(claim, sampling, workload):
        return ()
    against = workload.against(claim)
    bases = [base for base in against if sampling.compared(workload, base)]
    arms = [arm for arm in workload.speaking_for(claim) if sampling.compared(workload, arm)]
    left_out = [base.name for base in against if base not in bases]
    best = workload.best_tuned(bases) if claim.deciding == "best_tuned" else None
    bases.sort(key=lambda base: (base is not best, base.name))
    found = []
    for base in bases:
        for arm in arms:
            pairing = Pairing(
                claim=claim,
                workload=workload,
                host=host,
                arm=arm,
                base=base,
                label=workload.name if len(arms) == 1 else f"{workload.name} ({arm.name})",
                decides=best is None or base is best,
                notes=(*_choice_notes(base, bases, best, left_out, sampling), *arm.excluded, *base.excluded),
            )
            comparison = sampling.compare(pairing)
            if comparison is not None:
                found.append(comparison)
    return tuple(found)


def decided_on(comparisons: Sequence[Comparison], sampling: Sampling, claim: Claim) -> list[WorkloadBounds]:
    """Return the bounds of each workload: of several deciding baselines those against the strongest of them."""
    by_label: dict[str, list[WorkloadBounds]] = {}
    for one in comparisons:
        by_label.setdefault(one.bounds.workload, []).append(one.bounds)
    more = sampling.more_is_better or claim.relation == "not_worse_by"
    return [_strongest(label, members, more) for label, members in by_label.items()]


def _strongest(label: str, members: Sequence[WorkloadBounds], more_is_better: bool) -> WorkloadBounds:
    if len(members) == 1:
        return members[0]
    bounds = [one.bounds for one in members]
    doubts = dict.fromkeys(one.doubt for one in members if one.doubt)
    unsupportive = dict.fromkeys(one.unsupportive for one in members if one.unsupportive)
    return WorkloadBounds(
        workload=label,
        bounds=Least(bounds) if more_is_better else Greatest(bounds),
        num_pairs=_fewest(one.num_pairs for one in members),
        num_seeds=_fewest(one.num_seeds for one in members),
        doubt=" and ".join(doubts) or None,
        unsupportive=" and ".join(unsupportive) or None,
    )


def _fewest(counts: Iterable[int | None]) -> int | None:
    return min((count for count in counts if count is not None), default=None)


def _choice_notes(
    base: MeasuredArm,
    bases: Sequence[MeasuredArm],
    best: MeasuredArm | None,
    left_out: Sequence[str],
    sampling: Sampling,
) -> Iterator[str]:
    others = ", ".join(one.name for one in bases if one is not base)
    if others and best is base:
        yield f"{base.name} decides: it ended lowest in the trials of the tuning; also compared: {others}."
    elif others and best is None:
        yield f"It counts together with {others}: no trials say which of them is the strongest."
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
