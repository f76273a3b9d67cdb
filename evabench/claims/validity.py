"""Validity before verdict, in a fixed order.

1. invalid     an arm is not what it is called: the comparison is not tested, in both directions (`findings/checks.py`);
2. weak base   the comparison decides nothing (`baseline.py`);
3. audit       a "no" about the fight is said in the headline (`audit.py`);
4. gradient    directions of a second-order arm that equal the gradient: what was compared is a learning rate;
5. ablation    the same arm without its curvature is not worse: what was compared is the rest of it;
6. one rate    nobody tried the base at another learning rate, neither its checks nor its tuning.

The last four leave the verdict as it is. The headline has the noes, and the verdict's first sentences the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from evabench.claims.judgement import Judgement, Remark, Verdict
from evabench.findings.arm import MeasuredArm
from evabench.findings.checks import failed_checks
from evabench.findings.failed_check import About
from evabench.findings.findings import Findings
from evabench.settings.claims import MIN_SEEDS, Quantity
from evabench.stats.non_inferiority import paired_difference, relative_margin

LOSS_MARGIN = 0.02  # within which two losses count as equally good (JUDGING 4)
_SECOND_ORDER = ("eva", "kfac", "shampoo", "mfac")
ABOUT_A_RATE = "about a learning rate"  # a clause of a headline


_RESTS_ON: Mapping[Quantity, frozenset[About]] = {
    "time_to_target_ratio": frozenset({"losses", "seconds"}),
    "steps_to_target_ratio": frozenset({"losses"}),
    "step_time_ratio": frozenset({"seconds"}),
    "tensor_peak_ratio": frozenset({"bytes"}),
    "validation_loss_ratio": frozenset({"losses"}),
    "validation_loss_difference": frozenset({"losses"}),
    "validation_accuracy_difference": frozenset({"losses"}),
    "curvature_growth": frozenset({"bytes"}),
    "curvature_bytes_ratio": frozenset({"bytes"}),
    "work_growth": frozenset(),  # counted in a run of its own
    "cost_exponent": frozenset({"seconds"}),
}
_OVER_WIDTHS: frozenset[Quantity] = frozenset({"curvature_growth", "curvature_bytes_ratio", "cost_exponent"})


def invalid(arm: MeasuredArm, base: MeasuredArm, quantity: Quantity) -> tuple[str, ...]:
    """Return why the two must not be compared, as sentences; empty where each is what it is called."""
    return tuple(sentence for one in (arm, base) for sentence in _failures(one, quantity))


def unless_invalid(judgement: Judgement, findings: Findings) -> Judgement:
    """Return a judgement of several widths together, or "not tested" where an arm that decides it failed a check."""
    quantity = judgement.claim.quantity
    if quantity not in _OVER_WIDTHS:
        return judgement
    names = {name for one in judgement.evidence if one.decides for name in (one.arm, one.base)}
    arms = [arm for arm in findings.arms if arm.name in names]
    sentences = tuple(dict.fromkeys(sentence for arm in arms for sentence in _failures(arm, quantity)))
    if not sentences:
        return judgement
    reason = " ".join(("Not tested:", *sentences))
    return replace(judgement, as_stated=Verdict.NOT_TESTED, here=Verdict.NOT_TESTED, reason=reason)


def _failures(arm: MeasuredArm, quantity: Quantity) -> Iterator[str]:
    rests_on = _RESTS_ON[quantity]
    return (one.sentence for one in failed_checks(arm) if one.about is None or one.about in rests_on)


def said_first(arm: MeasuredArm, base: MeasuredArm, arms: Sequence[MeasuredArm]) -> tuple[Remark, ...]:
    """Return what a verdict about an arm says first; `arms` are all of its workload."""
    return tuple((*_gradients(arm, base), *_ablations(arm, base, arms)))


def _gradients(arm: MeasuredArm, base: MeasuredArm) -> Iterator[Remark]:
    for one in (arm, base):
        followed = one.followed
        called_so = one.optimizer.family in _SECOND_ORDER and not one.is_ablation
        if called_so and followed and followed.is_gradient:
            yield Remark(
                sentence=f"{one.name} follows the gradient (median cosine {followed.cosine:.4f}): "
                "what was compared is a learning rate.",
                clause=ABOUT_A_RATE,
            )


def _ablations(arm: MeasuredArm, base: MeasuredArm, arms: Sequence[MeasuredArm]) -> Iterator[Remark]:
    """Yield the arm's ablations that end no worse than it; where one is the base, the claim itself is about it."""
    if arm.ablation_of or base.ablation_of == arm.name:
        return
    ended = {seed: arm.validation(seed, "loss") for seed in arm.trainings}
    for other in arms:
        if other.ablation_of != arm.name:
            continue
        without = {seed: other.validation(seed, "loss") for seed in other.trainings}
        if any(loss is not None and loss <= 0 for loss in (*ended.values(), *without.values())):
            continue
        found = paired_difference(without, ended)
        if found and found.num_seeds >= MIN_SEEDS and found.is_not_worse_by(relative_margin(LOSS_MARGIN)):
            yield Remark(
                sentence=f"{arm.name} without its curvature ({other.name}) ends at most {LOSS_MARGIN:.0%} higher: this "
                "is not about the curvature.",
                clause="its ablation does as well",
            )
