"""The exponent of the width in what an optimizer's own work costs, against the claimed one."""

from collections.abc import Sequence

from evabench.claims.judge import Answer, WorkloadBounds, judge
from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.findings.costs import CostFamily, ScaledArm
from evabench.settings.claims import Claim
from evabench.stats.power_law import MIN_WIDTHS

SUITE = "scaling"  # the suite that is made for it: other suites have no equal layers at several widths


def judge_exponent(claim: Claim, families: Sequence[CostFamily], suite: str | None) -> Judgement:
    """Return the verdict about the exponent of the claim's arm; the other arms stand beside it."""
    bounds, evidence = [], []
    for family in families:
        for arm in family.arms:
            speaks = claim.is_arm(arm.arm, arm.optimizer.optimizer)
            evidence.append(_evidence(claim, family, arm, decides=speaks))
            if speaks:
                bounds.append(_bounds(family, arm))
    answer = judge(claim, [one for one in bounds if one is not None], complete=None not in bounds)
    if bounds and not any(bounds):
        reason = f"It needs {MIN_WIDTHS} widths at which the cost exceeds 5 x its noise, has fewer than three."
        answer = Answer(verdict=Verdict.INCONCLUSIVE, reason=reason)
    return Judgement(
        claim=claim,
        as_stated=answer.verdict,
        differences=(),
        here=answer.verdict,
        reason=answer.reason,
        evidence=tuple(evidence),
        would_decide=suite,
    )


def _bounds(family: CostFamily, arm: ScaledArm) -> WorkloadBounds | None:
    law = arm.law
    if law is None:
        return None
    short = len(law.widths) < MIN_WIDTHS
    return WorkloadBounds(
        workload=family.name,
        bounds=law,
        num_pairs=arm.num_sweeps,
        doubt=f"needs {MIN_WIDTHS} widths where the cost exceeds 5 x its noise, has {len(law.widths)}"
        if short
        else None,
    )


def _evidence(claim: Claim, family: CostFamily, arm: ScaledArm, *, decides: bool) -> Evidence:
    law = arm.law
    notes = [f"Clear above the noise at {0 if law is None else len(law.widths)} of {len(arm.costs)} widths."]
    return Evidence(
        workload=family.name,
        arm=arm.arm,
        base=arm.base,
        decides=decides,
        estimate=law.exponent if law else None,
        low=law.interval.low if law else None,
        high=law.interval.high if law else None,
        level=law.interval.level if law else None,
        lower_bound=law.lower_bound(claim.alpha) if law else None,
        upper_bound=law.upper_bound(claim.alpha) if law else None,
        bound_alpha=claim.alpha if law else None,
        num_pairs=arm.num_sweeps,
        num_widths=len(law.widths) if law else 0,
        notes=tuple(notes),
    )
