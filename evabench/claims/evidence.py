"""From findings to judgements: the entry of this package.

    findings = make_findings(runs, {"autoencoder": Goal(0.031)})
    judge_claims(shipped_claims(), findings, would_decide={"C1": "suites/cifar.toml"})

Which arm plays which part follows from the type of its settings, not from its name.

Each claim is answered twice. *As stated* takes only runs under the claim's own conditions; where there are none the
answer is "not tested", with the list of differences. *Here* takes all runs: it is labelled as a verdict under these
conditions and never stands for the other. An "up to" that was not reached here is not refuted by that.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from evabench.claims.budgets import at_one_budget
from evabench.claims.compared import ComparedWorkload
from evabench.claims.comparisons import (
    Comparison,
    Sampling,
    compare,
    decided_on,
    is_candidate,
    missing,
    refusal,
)
from evabench.claims.conditions import place_differences
from evabench.claims.curvature import Count, count_growth, count_share, share_conditions
from evabench.claims.judge import Answer, judge, judge_exact
from evabench.claims.judgement import Judgement, Verdict
from evabench.claims.sampled import SAMPLINGS
from evabench.claims.scaling import judge_exponent
from evabench.claims.targets import better_first_order_arm
from evabench.claims.validity import unless_invalid
from evabench.claims.work import judge_work
from evabench.findings.arm import MeasuredArm
from evabench.findings.findings import Findings
from evabench.findings.targets import OTHER_LEVELS, Targets, with_their_target
from evabench.findings.widths import WidthFamily
from evabench.settings.claims import Claim
from evabench.stats.widths import MIN_WIDTHS


def judge_claims(
    claims: Iterable[Claim], findings: Findings, *, would_decide: Mapping[str, str] | None = None
) -> tuple[Judgement, ...]:
    """Return one judgement for each claim, in order.

    The arm that set a target may miss it in at most a quarter of its judged seeds, and a verdict that is another for
    the easier or the harder of the three values of a target is inconclusive.
    `would_decide`: claim id -> the suite that would decide it as stated.
    """
    suites = would_decide or {}
    return tuple(unless_invalid(_judge(claim, findings, suites.get(claim.id)), findings) for claim in claims)


def _judge(claim: Claim, findings: Findings, suite: str | None) -> Judgement:
    match claim.quantity:
        case "time_to_target_ratio" | "steps_to_target_ratio":
            return _judge_to_target(claim, SAMPLINGS[claim.quantity], findings, suite)
        case (
            "step_time_ratio"
            | "tensor_peak_ratio"
            | "validation_loss_ratio"
            | "validation_loss_difference"
            | "validation_accuracy_difference"
        ):
            return _judge_sampled(claim, SAMPLINGS[claim.quantity], findings, _targets(findings), suite)
        case "curvature_growth":
            return _judge_counted(claim, count_growth, findings, suite)
        case "curvature_bytes_ratio":
            return _judge_counted(claim, count_share, findings, suite)
        case "work_growth":
            return judge_work(claim, findings.work_families, suite)
        case "cost_exponent":
            return judge_exponent(claim, findings.cost_families, suite)
        case _:
            assert_never(claim.quantity)


def _targets(findings: Findings) -> Targets:
    return Targets(numbers=findings.goals, set_by_runs=findings.targets.found)


def _judge_to_target(claim: Claim, sampling: Sampling, findings: Findings, suite: str | None) -> Judgement:
    targets = _targets(findings)
    judgement = _judge_sampled(claim, sampling, findings, targets, suite)
    if not targets.set_by_runs:
        return judgement
    easier, harder = (_judge_sampled(claim, sampling, findings, targets.at(level), suite) for level in OTHER_LEVELS)
    return _agreed(judgement, easier, harder)


def _judge_sampled(
    claim: Claim, sampling: Sampling, findings: Findings, targets: Targets, suite: str | None
) -> Judgement:
    arms = findings.arms if claim.quantity == "tensor_peak_ratio" else findings.compared_arms
    workloads = _workloads(claim, arms, targets, findings)
    compared = [(workload, compare(claim, sampling, workload, findings.runs[0].host)) for workload in workloads]
    comparisons = [one for _, found in compared for one in found]
    asked = [one for one in comparisons if one.evidence.decides]
    # Where one of several baselines is not what it is called, nothing is known of the strongest of them.
    spoiled = {one.bounds.workload for one in asked if one.invalid}
    deciding = [one for one in asked if one.bounds.workload not in spoiled]
    under_claim = [one for one in deciding if not one.evidence.differences]
    gaps = [
        workload
        for workload, found in compared
        if is_candidate(claim, sampling, workload) and not any(one in deciding for one in found)
    ]
    covered = bool(under_claim) and _covers(claim, under_claim, gaps)

    stated = judge(claim, decided_on(under_claim, sampling, claim), complete=covered)
    if len(under_claim) == len(deciding):
        here = stated
    else:
        complete_here = covered if claim.relation == "up_to" else not gaps
        here = judge(claim, decided_on(deciding, sampling, claim), complete=complete_here)
    invalid = _each_once(sentence for one in asked for sentence in one.invalid)
    if invalid:
        reasons = (here.reason,) if deciding else ()
        here = replace(here, reason=" ".join((*reasons, "Not tested:", *invalid)))
    elif not deciding and workloads:
        here = replace(here, reason=" ".join(missing(claim, sampling, workload) for workload in workloads))
    elif deciding:
        refusals = [refused for workload in workloads if (refused := refusal(claim, sampling, workload))]
        here = replace(here, reason=" ".join((here.reason, *refusals)))
    said = [(remark, one) for one in deciding for remark in one.first]
    if here.verdict is Verdict.REFUTED:
        said += [(one.refuted_by, one) for one in deciding if one.refuted_by]
    return Judgement(
        claim=claim,
        as_stated=stated.verdict,
        differences=_each_once(difference for one in deciding for difference in one.evidence.differences),
        here=here.verdict,
        reason=here.reason,
        evidence=tuple(one.evidence for one in comparisons),
        would_decide=suite,
        first=_each_once(_placed(remark.sentence, one, deciding) for remark, one in said),
        clauses=_each_once(_behind(remark.clause, one, deciding) for remark, one in said),
        audits=tuple(one.audit for one in deciding if one.audit),
    )


def _covers(claim: Claim, under_claim: Sequence[Comparison], gaps: Sequence[ComparedWorkload]) -> bool:
    """Return whether every workload of the claim was run under its conditions; a claim on any means all there are."""
    if claim.workloads:
        return set(claim.workloads) <= {one.workload_name for one in under_claim}
    if claim.conditions:
        return all(any(one.named == named for one in under_claim) for named in claim.conditions)
    return not gaps


def _workloads(
    claim: Claim, arms: Sequence[MeasuredArm], targets: Targets, findings: Findings
) -> list[ComparedWorkload]:
    """Return the arms by workload. One name for two nets, or for two numbers of ranks, is two workloads."""
    groups: defaultdict[tuple[str, int, str], list[MeasuredArm]] = defaultdict(list)
    for arm in arms:
        groups[arm.workload_name, arm.ranks, repr(arm.workload)].append(arm)
    # Stand-in data says that a suite runs, and nothing about an optimizer.
    return [
        _workload(claim, name if ranks == 1 else f"{name} on {ranks} ranks", group, targets, findings)
        for (name, ranks, _), group in sorted(groups.items())
        if not group[0].workload.stand_in and (not claim.workloads or name in claim.workloads)
    ]


def _workload(
    claim: Claim, label: str, group: Sequence[MeasuredArm], targets: Targets, findings: Findings
) -> ComparedWorkload:
    arms = at_one_budget(claim, with_their_target(group, targets))
    name = arms[0].workload_name
    set_by_runs = targets.reference_target(arms)
    carried = [arm for arm in arms if targets.carried_by(arm)]
    return ComparedWorkload(
        name=label,
        arms=arms,
        target=targets.goal(set_by_runs) if set_by_runs else targets.numbers.get(name),
        reference=set_by_runs.cell.arm if set_by_runs else None,
        rate_checks=findings.rate_checks,
        public=findings.public,
        trials=tuple(one for one in findings.tuning if one.workload_name == name),
        without_target=frozenset(arm.name for arm in arms if arm not in carried),
        better_reference=better_first_order_arm(set_by_runs, carried) if set_by_runs else None,
    )


def _judge_counted(
    claim: Claim, count: Callable[[Claim, WidthFamily], Count], findings: Findings, suite: str | None
) -> Judgement:
    counts, differing = [], []
    for family in findings.width_families:
        found = count(claim, family)
        if found.conditions or found.shares or found.problems:
            differing.append(
                place_differences(claim, findings.runs[0].host, findings.runs[0].cell.device, family.workload)
            )
            counts.append(replace(found, evidence=tuple(replace(e, differences=differing[-1]) for e in found.evidence)))
    here = _counted(counts)
    under_claim = [one for one, different in zip(counts, differing, strict=True) if not different]
    return Judgement(
        claim=claim,
        as_stated=_counted(under_claim).verdict,
        differences=_each_once(difference for different in differing for difference in different),
        here=here.verdict,
        reason=here.reason,
        evidence=tuple(evidence for one in counts for evidence in one.evidence),
        would_decide=suite,
    )


def _counted(counts: Sequence[Count]) -> Answer:
    """Return the answer over all families: any may refute, one with widths enough is needed to support."""
    wide = [one for one in counts if one.num_widths >= MIN_WIDTHS] or counts
    conditions = [condition for one in counts for condition in one.conditions]
    shares = [share for one in counts for share in one.shares]
    answer = judge_exact(
        [*conditions, *share_conditions(shares)],
        min((one.num_widths for one in wide), default=0),
        complete=all(one.complete for one in wide),
    )
    problems = _each_once(problem for one in wide for problem in one.problems)
    if problems and not answer.verdict.decided:
        return Answer(verdict=Verdict.INCONCLUSIVE, reason=f"It cannot be decided: {'; '.join(problems)}.")
    return answer


def _agreed(judgement: Judgement, easier: Judgement, harder: Judgement) -> Judgement:
    """Return the judgement, or an inconclusive one where another of the three targets gives another verdict."""
    if len({(one.as_stated, one.here) for one in (judgement, easier, harder)}) == 1:
        return judgement
    tested = judgement.as_stated is not Verdict.NOT_TESTED
    return replace(
        judgement,
        as_stated=Verdict.INCONCLUSIVE if tested else Verdict.NOT_TESTED,
        here=Verdict.INCONCLUSIVE,
        reason=(
            f"The verdict depends on the target: {judgement.here} at the nominal one, {easier.here} at the easier, "
            f"{harder.here} at the harder. At the nominal one: {judgement.reason}"
        ),
    )


def _placed(sentence: str, comparison: Comparison, deciding: Sequence[Comparison]) -> str:
    """Return what a comparison says first, with its workload where several decide."""
    return f"On {comparison.workload_name} {sentence}" if _are_of_several(deciding) else sentence


def _behind(clause: str, comparison: Comparison, deciding: Sequence[Comparison]) -> str:
    """Return the same of its short form."""
    return f"{clause} on {comparison.workload_name}" if _are_of_several(deciding) else clause


def _are_of_several(deciding: Sequence[Comparison]) -> bool:
    return len({one.workload_name for one in deciding}) > 1


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
