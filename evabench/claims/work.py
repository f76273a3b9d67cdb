"""The degree in the width of what an optimizer's own operators do, against the claimed one: counted, not sampled."""

from collections.abc import Sequence

from evabench.claims.judge import judge_exact
from evabench.claims.judgement import Evidence, Judgement
from evabench.findings.work import WorkFamily, WorkingArm
from evabench.settings.claims import Claim
from evabench.settings.eva import is_ablation
from evabench.settings.methods import method_of
from evabench.stats.widths import ExactDegree


def judge_work(claim: Claim, families: Sequence[WorkFamily], suite: str | None) -> Judgement:
    """Return the verdict about the degree of the claim's arm; the other arms stand beside it."""
    conditions, num_widths, evidence, unknown = [], [], [], False
    for family in families:
        for arm in family.arms:
            speaks = claim.is_arm(arm.arm, method_of(arm.optimizer)) and (claim.local or not is_ablation(arm.optimizer))
            evidence.append(_evidence(family, arm, decides=speaks))
            if not speaks:
                continue
            for what, degree in (("flops", arm.flops_degree), ("bytes moved", arm.bytes_degree)):
                if degree is None:
                    unknown = True
                    continue
                sentence = f"the {what} of {arm.arm} have degree {degree.degree} in the width at {_where(degree)}"
                conditions.append((sentence, degree.degree <= claim.number))
                num_widths.append(len(degree.widths))
    answer = judge_exact(conditions, min(num_widths, default=0), complete=not unknown)
    return Judgement(
        claim=claim,
        as_stated=answer.verdict,
        differences=(),
        here=answer.verdict,
        reason=answer.reason,
        evidence=tuple(evidence),
        would_decide=suite,
    )


def _evidence(family: WorkFamily, arm: WorkingArm, *, decides: bool) -> Evidence:
    flops, moved = arm.flops_degree, arm.bytes_degree
    notes = [
        f"{what}: {'no polynomial' if degree is None else f'd^{degree.degree} at {_where(degree)}'}."
        for what, degree in (("Flops", flops), ("Bytes moved", moved))
    ]
    if arm.without_formula:
        notes.append(f"No formula for {', '.join(sorted(arm.without_formula))}.")
    degrees = [degree for degree in (flops, moved) if degree is not None]
    return Evidence(
        workload=family.name,
        arm=arm.arm,
        base="the width",
        decides=decides,
        estimate=float(max(degree.degree for degree in degrees)) if len(degrees) == 2 else None,
        num_widths=min((len(degree.widths) for degree in degrees), default=len(arm.flops)),
        notes=tuple(notes),
    )


def _where(degree: ExactDegree) -> str:
    return f"{len(degree.widths)} widths from {degree.widths[0]} to {degree.widths[-1]}"
