"""Counted comparisons: what the curvature state of the claim's arm comes to against that of each baseline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from evabench.claims.judgement import Evidence
from evabench.findings.widths import CountedArm, WidthFamily
from evabench.settings.claims import Claim
from evabench.settings.eva import is_ablation
from evabench.settings.methods import method_of
from evabench.stats.widths import MIN_WIDTHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What the curvature state of an arm is of that of a base, over the widths of one family."""

    arm: str
    base: str
    family: str
    num_widths: int
    largest: float
    holds: bool  # it is no more than what was claimed, at every width


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What counting says about a claim in one family."""

    conditions: tuple[tuple[str, bool], ...]  # sentences, and whether each holds
    shares: tuple[Share, ...] = ()  # of a claimed share: what each comparison comes to
    num_widths: int  # the least that any condition rests on
    complete: bool  # the arm and every baseline of the claim could be checked
    problems: tuple[str, ...]  # sentences: why something could not
    evidence: tuple[Evidence, ...]


def count_growth(claim: Claim, family: WidthFamily) -> Count:
    """Check that the arm has no term of second degree in the width, and that each of the baselines has one."""
    conditions, problems, num_widths, irregular = [], [], dict[str, int](), False
    for arm in _arms(claim, family):
        called, polynomial = claim.called(arm.arm, method_of(arm.optimizer)), arm.polynomial
        if polynomial is None:
            problems.append(f"{arm.arm} needs {MIN_WIDTHS} counted widths, has {len(arm.curvature_bytes)}")
        elif polynomial.has_quadratic_term is None:
            irregular = True
            problems.append(f"the curvature state of {arm.arm} is not a polynomial of degree 2 or less")
        else:
            has = "has a d^2 term" if polynomial.has_quadratic_term else "has no d^2 term"
            sentence = f"the curvature state of {arm.arm} {has} at {polynomial.num_widths} widths d"
            conditions.append((sentence, polynomial.has_quadratic_term == (called != claim.arm)))
            num_widths[called] = max(num_widths.get(called, 0), polynomial.num_widths)
    return Count(
        conditions=tuple(conditions),
        num_widths=min(num_widths.values(), default=0),
        complete=not irregular and num_widths.keys() >= {claim.arm, *claim.bases},
        problems=tuple(problems),
        evidence=_evidence(claim, family),
    )


def count_share(claim: Claim, family: WidthFamily) -> Count:
    """Check that the arm's curvature state is at most the claimed share of each baseline's, at every width."""
    found, num_widths = [], dict[str, int]()
    for arm, base in _pairs(claim, family):
        shares = _shares(arm, base)
        if shares:
            largest, called = max(shares.values()), claim.called(base.arm, method_of(base.optimizer))
            found.append(
                Share(
                    arm=arm.arm,
                    base=base.arm,
                    family=family.name,
                    num_widths=len(shares),
                    largest=largest,
                    holds=largest <= claim.number,
                )
            )
            num_widths[called] = max(num_widths.get(called, 0), len(shares))
    uneven = [arm.arm for arm in _arms(claim, family) if arm.uneven]
    return Count(
        conditions=(),
        shares=tuple(found),
        num_widths=min(num_widths.values(), default=0),
        complete=num_widths.keys() >= set(claim.bases) and not uneven,
        problems=tuple(f"two runs of {arm} at one width did not count the same bytes" for arm in uneven),
        evidence=_evidence(claim, family),
    )


def share_conditions(shares: Sequence[Share]) -> list[tuple[str, bool]]:
    """Return one sentence for each arm and answer, over all bases and families: six times one number is told once."""
    groups: defaultdict[tuple[str, bool], list[Share]] = defaultdict(list)
    for one in shares:
        groups[one.arm, one.holds].append(one)
    return [(_share_sentence(arm, found), holds) for (arm, holds), found in groups.items()]


def _share_sentence(arm: str, shares: Sequence[Share]) -> str:
    bases, families = (dict.fromkeys(names) for names in zip(*((one.base, one.family) for one in shares), strict=True))
    fewest, most = min(one.num_widths for one in shares), max(one.num_widths for one in shares)
    widths = f"{fewest} widths" if fewest == most else f"{fewest} to {most} widths"
    nets = "1 net" if len(families) == 1 else f"each of {len(families)} nets"
    largest = max(one.largest for one in shares)
    return f"the curvature state of {arm} is up to {largest:.2%} of that of {_and(list(bases))}, at {widths} of {nets}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _arms(claim: Claim, family: WidthFamily) -> Sequence[CountedArm]:
    asked = {claim.arm, *claim.bases}
    return [arm for arm in _subjects(claim, family) if claim.called(arm.arm, method_of(arm.optimizer)) in asked]


def _subjects(claim: Claim, family: WidthFamily) -> Sequence[CountedArm]:
    """Return the arms that are what their tag says: an ablation arm speaks only where it is named."""
    return [arm for arm in family.arms if claim.local or not is_ablation(arm.optimizer)]


def _pairs(claim: Claim, family: WidthFamily) -> Sequence[tuple[CountedArm, CountedArm]]:
    arms = [arm for arm in _subjects(claim, family) if claim.is_arm(arm.arm, method_of(arm.optimizer))]
    bases = [arm for arm in _subjects(claim, family) if claim.is_base(arm.arm, method_of(arm.optimizer))]
    return [(arm, base) for arm in arms for base in bases]


def _shares(arm: CountedArm, base: CountedArm) -> dict[int, float]:
    theirs = base.curvature_bytes
    return {width: mine / theirs[width] for width, mine in arm.curvature_bytes.items() if theirs.get(width, 0) > 0}


def _evidence(claim: Claim, family: WidthFamily) -> tuple[Evidence, ...]:
    found = []
    for arm, base in _pairs(claim, family):
        shares = _shares(arm, base)
        if not shares:
            continue
        widest = max(shares)
        mine, theirs = arm.memories[widest], base.memories[widest]
        numbers = {
            "widest_first_hidden_width": float(widest),
            "arm_curvature_state_bytes": float(mine.curvature_state_bytes),
            "base_curvature_state_bytes": float(theirs.curvature_state_bytes),
            "arm_state_bytes": float(mine.state_bytes),
            "base_state_bytes": float(theirs.state_bytes),
            "arm_peak_bytes": float(mine.peak.total),
            "base_peak_bytes": float(theirs.peak.total),
        }
        found.append(
            Evidence(
                workload=family.name,
                arm=arm.arm,
                base=base.arm,
                decides=True,
                estimate=shares[widest],
                num_widths=len(shares),
                numbers=numbers,
            )
        )
    return tuple(found)
