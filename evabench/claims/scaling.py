"""The exponent of the width in the time of an optimizer's own work, against the claimed one."""

from collections.abc import Sequence
from dataclasses import replace

from evabench.claims.judge import Answer, WorkloadBounds, judge
from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.findings.costs import CostFamily, ScaledArm
from evabench.settings.claims import Claim
from evabench.settings.eva import is_ablation
from evabench.settings.methods import method_of
from evabench.stats.power_law import CONSTANT_WIDTH, MIN_POWER, MIN_SPAN, MIN_WIDTHS, PowerLaw


def judge_exponent(claim: Claim, families: Sequence[CostFamily], suite: str | None) -> Judgement:
    """Return the verdict about the exponent of the claim's arm; the other arms stand beside it.

    What would not have seen a d^3 supports nothing: the same design must refute one in nine of ten experiments.
    """
    bounds, evidence, powers = [], [], []
    for family in families:
        for arm in family.arms:
            speaks = claim.is_arm(arm.arm, method_of(arm.optimizer)) and (claim.local or not is_ablation(arm.optimizer))
            law = arm.law
            power = _power(claim, law) if law and speaks else None
            evidence.append(_evidence(claim, family, arm, law, power, decides=speaks))
            if speaks:
                bounds.append(_bounds(family, arm, law))
                powers.append(power)
    answer = judge(claim, [one for one in bounds if one is not None], complete=None not in bounds)
    if bounds and not any(bounds):
        reason = f"It needs widths at which the cost rises above that at d = {CONSTANT_WIDTH}, measured beside them."
        answer = Answer(verdict=Verdict.INCONCLUSIVE, reason=reason)
    blind = [power for power in powers if power is not None and power < MIN_POWER]
    if answer.verdict is Verdict.SUPPORTED and blind:
        answer = replace(
            answer,
            verdict=Verdict.INCONCLUSIVE,
            reason=(
                f"The upper bound is low enough, but the same design would have refuted a d^3 in {min(blind):.0%} of "
                f"simulated experiments only, and {MIN_POWER:.0%} are needed."
            ),
        )
    return Judgement(
        claim=claim,
        as_stated=answer.verdict,
        differences=(),
        here=answer.verdict,
        reason=answer.reason,
        evidence=tuple(evidence),
        would_decide=suite,
    )


def _power(claim: Claim, law: PowerLaw) -> float:
    return law.power_against_cube(claim.number * (1 + claim.tolerance), claim.alpha)


def _bounds(family: CostFamily, arm: ScaledArm, law: PowerLaw | None) -> WorkloadBounds | None:
    if law is None:
        return None
    doubts = []
    if len(law.widths) < MIN_WIDTHS:
        doubts.append(f"needs {MIN_WIDTHS} widths, has {len(law.widths)}")
    if law.span < MIN_SPAN:
        doubts.append(f"needs widths that span a factor of {MIN_SPAN}, has {law.span:.3g}")
    doubt = " and ".join(doubts) or None
    return WorkloadBounds(workload=family.name, bounds=law, num_pairs=arm.num_sweeps, doubt=doubt)


def _evidence(
    claim: Claim, family: CostFamily, arm: ScaledArm, law: PowerLaw | None, power: float | None, *, decides: bool
) -> Evidence:
    notes = []
    if law is None:
        notes.append(f"No exponent: it takes d = {CONSTANT_WIDTH} and costs that rise above it.")
    else:
        constant = f"{1e3 * law.constant:.3g} ms +- {1e3 * law.constant_error:.2g}"
        notes.append(f"What does not grow, c0: {constant}, measured at d = {CONSTANT_WIDTH}.")
    if power is not None:
        notes.append(f"The same design refutes a d^3 in {power:.0%} of simulated experiments.")
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
