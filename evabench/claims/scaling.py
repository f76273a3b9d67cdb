"""What an optimizer's own work costs against the width: its step less SGD's step, in the same sweeps.

A family is equal square layers at several widths with the same batch, so parameters grow exactly with the square of the
width; its data is noise, of which the cost of a step does not depend. Other nets are left out: with an input of a fixed
size their parameters are no power of the width.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from evabench.claims.claim import Claim, Evidence, Judgement, Verdict
from evabench.claims.judge import Finding, WorkloadBounds, judge
from evabench.findings.arms import MeasuredArm, measured_arms
from evabench.records.run import Run
from evabench.settings.first_order import SgdSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import SyntheticSettings
from evabench.stats.power_law import MIN_WIDTHS, PowerLaw, fit_power_law
from evabench.stats.trimmed import TrimmedMean, trimmed_mean

SUITE = "scaling"  # the suite that is made for it: other suites have no equal layers at several widths


@dataclass(slots=True, kw_only=True)
class ScaledArm:
    """One arm at several widths."""

    arm: str
    base: str  # the arm of SGD whose step is subtracted
    optimizer: OptimizerSettings
    costs: dict[int, TrimmedMean] = field(default_factory=dict)  # by width: seconds of a step beyond SGD's

    @property
    def num_sweeps(self) -> int:
        """Return the fewest sweeps that a cost rests on."""
        return min(cost.num_values for cost in self.costs.values())

    @property
    def law(self) -> PowerLaw | None:
        """Return the fitted exponent; None where fewer than three widths have a clear cost."""
        return fit_power_law(self.costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFamily:
    """One net at several widths, timed."""

    name: str  # "4 linear layers, batch 64"
    arms: tuple[ScaledArm, ...]


def cost_families(runs: Iterable[Run]) -> tuple[CostFamily, ...]:
    """Return the timed families of two widths or more, with every arm that was timed beside SGD."""
    by_net: defaultdict[tuple[SyntheticSettings, int], dict[int, list[MeasuredArm]]] = defaultdict(dict)
    for arm in measured_arms(runs):
        net = arm.workload
        if isinstance(net, SyntheticSettings) and arm.step_seconds:
            by_net[replace(net, width=1), arm.ranks].setdefault(net.width, []).append(arm)
    return tuple(
        CostFamily(name=f"{net.title}, batch {net.batch}", arms=_scaled(by_width))
        for (net, _), by_width in by_net.items()
        if len(by_width) > 1
    )


def judge_exponent(claim: Claim, runs: Iterable[Run], suite: str | None) -> Judgement:
    """Return the verdict about the exponent of the claim's arm; the other arms stand beside it."""
    bounds, evidence = [], []
    for family in cost_families(runs):
        for arm in family.arms:
            speaks = arm.optimizer.optimizer == claim.arm
            evidence.append(_evidence(claim, family, arm, decides=speaks))
            if speaks:
                bounds.append(_bounds(family, arm))
    finding = judge(claim, [one for one in bounds if one is not None], complete=None not in bounds)
    if bounds and not any(bounds):
        reason = f"It needs {MIN_WIDTHS} widths at which the cost exceeds 5 x its noise, has fewer than three."
        finding = Finding(verdict=Verdict.INCONCLUSIVE, reason=reason)
    return Judgement(
        claim=claim,
        as_stated=finding.verdict,
        differences=(),
        here=finding.verdict,
        reason=finding.reason,
        evidence=tuple(evidence),
        would_decide=suite,
    )


def _scaled(by_width: Mapping[int, list[MeasuredArm]]) -> tuple[ScaledArm, ...]:
    found: dict[tuple[str, str], ScaledArm] = {}
    for width, arms in sorted(by_width.items()):
        base = next((arm for arm in arms if isinstance(arm.optimizer, SgdSettings)), None)
        if base is None:
            continue
        for arm in arms:
            differences = [
                seconds - base.step_seconds[sweep]
                for sweep, seconds in arm.step_seconds.items()
                if sweep in base.step_seconds
            ]
            if arm is base or not differences:
                continue
            key = arm.arm, repr(arm.optimizer)
            one = found.setdefault(key, ScaledArm(arm=arm.arm, base=base.arm, optimizer=arm.optimizer))
            one.costs[width] = trimmed_mean(differences)
    return tuple(arm for _, arm in sorted(found.items()))


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
