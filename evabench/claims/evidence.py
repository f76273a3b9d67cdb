"""From runs to judgements: the entry of this package.

    judge_claims(EVA_CLAIMS, runs, {"autoencoder": Goal(0.031)}, would_decide={"C1": "suites/cifar.toml"})

`runs` are of one host and of the current code; choosing them is the caller's business. `targets` gives the validation
loss or accuracy of each workload whose target is a number, by the suite's name. Which arm plays which part follows
from the type of its settings, not from its name.

Each claim is answered twice. *As stated* takes only runs under the claim's own conditions; where there are none the
answer is "not tested", with the list of differences. *Here* takes all runs: it is labelled as a verdict under these
conditions and never stands for the other. An "up to" that was not reached here is not refuted by that.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from evabench.claims.budgets import at_one_budget
from evabench.claims.claim import EXACT_QUANTITIES, Claim, Judgement, Verdict
from evabench.claims.comparisons import Comparison, Workload, compare, is_candidate, missing
from evabench.claims.conditions import place_differences
from evabench.claims.curvature import Count, count_growth, count_share, width_families
from evabench.claims.judge import Finding, judge, judge_exact
from evabench.claims.scaling import judge_exponent
from evabench.claims.targets import OTHER_LEVELS, Targets, better_first_order_arm, with_their_target
from evabench.findings.arms import MeasuredArm, measured_arms
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.stats.time_to_target import Goal
from evabench.stats.widths import MIN_WIDTHS


def judge_claims(
    claims: Iterable[Claim],
    runs: Iterable[Run],
    targets: Mapping[str, Goal],
    *,
    set_targets: Sequence[SetTarget] = (),
    would_decide: Mapping[str, str] | None = None,
) -> tuple[Judgement, ...]:
    """Return one judgement for each claim, in order.

    `set_targets`: those that runs have set. Their arm may miss its target in at most a quarter of its judged seeds, and
    a verdict that is another for the easier or the harder of the three values is inconclusive.
    `would_decide`: claim id -> the suite that would decide it as stated.
    """
    runs = tuple(runs)
    hosts = {run.host.id for run in runs}
    if len(hosts) > 1:
        raise ValueError(f"runs of different hosts are never pooled, got {len(hosts)}: {', '.join(sorted(hosts))}")
    suites = would_decide or {}
    every = Targets(numbers=targets, set_by_runs=tuple(set_targets))
    judgements = []
    for claim in claims:
        suite = suites.get(claim.id)
        if claim.quantity in EXACT_QUANTITIES:
            judgements.append(_judge_counted(claim, runs, suite))
            continue
        if claim.quantity == "cost_exponent":
            judgements.append(judge_exponent(claim, runs, suite))
            continue
        judgement = _judge_sampled(claim, runs, every, suite)
        if claim.quantity == "time_to_target_ratio" and set_targets:
            easier, harder = (_judge_sampled(claim, runs, every.at(level), suite) for level in OTHER_LEVELS)
            judgement = _agreed(judgement, easier, harder)
        judgements.append(judgement)
    return tuple(judgements)


def _judge_sampled(claim: Claim, runs: Sequence[Run], targets: Targets, suite: str | None) -> Judgement:
    workloads = _workloads(claim, measured_arms(runs), targets)
    compared = [(workload, compare(claim, workload, runs[0].host)) for workload in workloads]
    comparisons = [one for _, found in compared for one in found]
    deciding = [one for one in comparisons if one.evidence.decides]
    under_claim = [one for one in deciding if not one.evidence.differences]
    gaps = [
        workload
        for workload, found in compared
        if is_candidate(claim, workload) and not any(one.evidence.decides for one in found)
    ]
    covered = bool(under_claim) and _covers(claim, under_claim, gaps)

    stated = judge(claim, [one.bounds for one in under_claim], complete=covered)
    if len(under_claim) == len(deciding):
        here = stated
    else:
        complete_here = covered if claim.relation == "up_to" else not gaps
        here = judge(claim, [one.bounds for one in deciding], complete=complete_here)
    if not deciding and workloads:
        here = replace(here, reason=" ".join(missing(claim, workload) for workload in workloads))
    elif deciding:
        refusals = [refusal for workload in workloads if (refusal := workload.refusal(claim))]
        here = replace(here, reason=" ".join((here.reason, *refusals)))
    return Judgement(
        claim=claim,
        as_stated=stated.verdict,
        differences=_each_once(difference for one in deciding for difference in one.evidence.differences),
        here=here.verdict,
        reason=here.reason,
        evidence=tuple(one.evidence for one in comparisons),
        would_decide=suite,
    )


def _covers(claim: Claim, under_claim: Sequence[Comparison], gaps: Sequence[Workload]) -> bool:
    """Return whether every workload of the claim was run under its conditions; a claim on any means all there are."""
    if not claim.workloads:
        return not gaps
    return all(any(one.named == named for one in under_claim) for named in claim.workloads)


def _workloads(claim: Claim, arms: Sequence[MeasuredArm], targets: Targets) -> list[Workload]:
    """Return the arms by workload. One name for two nets, or for two numbers of ranks, is two workloads."""
    groups: defaultdict[tuple[str, int, str], list[MeasuredArm]] = defaultdict(list)
    for arm in arms:
        groups[arm.workload_name, arm.ranks, repr(arm.workload)].append(arm)
    # Made-up data says that a suite runs, and nothing about an optimizer.
    return [
        _workload(claim, name if ranks == 1 else f"{name} on {ranks} ranks", group, targets)
        for (name, ranks, _), group in sorted(groups.items())
        if not group[0].workload.stand_in
    ]


def _workload(claim: Claim, label: str, group: Sequence[MeasuredArm], targets: Targets) -> Workload:
    arms = at_one_budget(claim, with_their_target(group, targets))
    name = arms[0].workload_name
    set_by_runs = targets.reference_target(arms)
    carried = [arm for arm in arms if targets.carried_by(arm)]
    return Workload(
        name=label,
        arms=arms,
        target=targets.goal(set_by_runs) if set_by_runs else targets.numbers.get(name),
        reference=set_by_runs.cell.arm if set_by_runs else None,
        without_target=frozenset(arm.arm for arm in arms if arm not in carried),
        better_reference=better_first_order_arm(set_by_runs, carried) if set_by_runs else None,
    )


def _judge_counted(claim: Claim, runs: Sequence[Run], suite: str | None) -> Judgement:
    count = count_growth if claim.quantity == "curvature_growth" else count_share
    counts, differing = [], []
    for family in width_families(runs):
        found = count(claim, family)
        if found.conditions or found.problems:
            differing.append(place_differences(claim, runs[0].host, family.workload))
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


def _counted(counts: Sequence[Count]) -> Finding:
    """Return the finding over all families: any may refute, one with widths enough is needed to support."""
    wide = [one for one in counts if one.num_widths >= MIN_WIDTHS] or counts
    finding = judge_exact(
        [condition for one in counts for condition in one.conditions],
        min((one.num_widths for one in wide), default=0),
        complete=all(one.complete for one in wide),
    )
    problems = _each_once(problem for one in wide for problem in one.problems)
    if problems and finding.verdict in {Verdict.INCONCLUSIVE, Verdict.NOT_TESTED}:
        return Finding(verdict=Verdict.INCONCLUSIVE, reason=f"It cannot be decided: {'; '.join(problems)}.")
    return finding


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


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
