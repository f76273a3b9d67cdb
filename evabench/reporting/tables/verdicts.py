"""Verdicts in words: the same sentences in the terminal, in Markdown and in HTML."""

import math
from typing import assert_never

from evabench.claims.claim import Evidence, Judgement, Quantity, Verdict
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.units import format_ratio

_QUANTITIES: dict[Quantity, str] = {
    "time_to_target_ratio": "time of the base to the target / that of the arm",
    "step_time_ratio": "step of the arm / step of the base",
    "curvature_growth": "curvature state against the width",
    "curvature_bytes_ratio": "curvature state of the arm / that of the base",
    "cost_exponent": "exponent of the width in the step of the arm less that of the base",
}


def headline(judgement: Judgement) -> str:
    """Return "supported", or "inconclusive here; not tested as stated" where the two answers differ."""
    if judgement.here == judgement.as_stated:
        return judgement.here.value
    return f"{judgement.here.value} here; {judgement.as_stated.value} as stated"


def decided_by(judgement: Judgement) -> str:
    """Return which suite would decide the claim, as a sentence; empty where it is decided or none is known."""
    if judgement.would_decide is None or judgement.here in {Verdict.SUPPORTED, Verdict.REFUTED}:
        return ""
    return f"The suite that is large enough to decide it here: {judgement.would_decide}."


def measured(judgement: Judgement) -> str:
    """Return the deciding estimates as a sentence; empty where there are none."""
    found = [_finding(judgement.claim.quantity, one) for one in judgement.evidence if one.decides]
    return " ".join(f"{sentence}." for sentence in dict.fromkeys(found) if sentence)


def _finding(quantity: Quantity, evidence: Evidence) -> str:
    estimate, arm, base = evidence.estimate, evidence.arm, evidence.base
    if estimate is None:
        both_missed = quantity == "time_to_target_ratio" and evidence.num_seeds
        return f"{arm} and {base} both missed the target in every seed on {evidence.workload}" if both_missed else ""
    match quantity:
        case "time_to_target_ratio" if estimate == 0:
            return f"{base} reached the target, {arm} did not (median on {evidence.workload})"
        case "time_to_target_ratio" if math.isinf(estimate):
            return f"{arm} reached the target, {base} did not (median on {evidence.workload})"
        case "time_to_target_ratio":
            return f"{arm} reached the target {_estimate(evidence)} as fast as {base} on {evidence.workload}"
        case "step_time_ratio":
            return f"A step of {arm} took {_estimate(evidence)} that of {base} on {evidence.workload}"
        case "curvature_bytes_ratio":
            return f"The curvature state of {arm} is {estimate:.2%} of that of {base} at the widest"
        case "cost_exponent":
            return f"The step of {arm} less that of {base} grows like d^{exponent(evidence)}"
        case "curvature_growth":
            return ""


def quantity(judgement: Judgement) -> str:
    """Return what is compared, in words."""
    return _QUANTITIES[judgement.claim.quantity]


def evidence_table(judgement: Judgement) -> Table | None:
    """Return the comparisons behind a verdict; None where there is none."""
    if not judgement.evidence:
        return None
    return Table(
        title=f"Evidence: {quantity(judgement)}",
        headings=("workload", "arm", "base", "estimate", "rests on", "remarks"),
        text=frozenset({"arm", "base", "estimate", "rests on", "remarks"}),
        rows=tuple(
            (
                one.workload,
                one.arm,
                one.base if one.decides else f"{one.base} (does not decide)",
                _estimate_of(judgement.claim.quantity, one),
                _rests_on(one),
                " ".join((*one.notes, _factors(one))).strip() or NOT_MEASURED,
            )
            for one in judgement.evidence
        ),
    )


def _estimate_of(quantity: Quantity, evidence: Evidence) -> str:
    match quantity:
        case "cost_exponent":
            return exponent(evidence)
        case "time_to_target_ratio" | "step_time_ratio" | "curvature_growth" | "curvature_bytes_ratio":
            return _estimate(evidence)
        case _:
            assert_never(quantity)


def _estimate(evidence: Evidence) -> str:
    estimate, low, high = evidence.estimate, evidence.low, evidence.high
    if estimate is None:
        return NOT_MEASURED
    if low is None or high is None:
        return f"{_number(estimate)} (too few for an interval)" if evidence.num_seeds else _number(estimate)
    if estimate > 0 and all(map(math.isfinite, (estimate, low, high))):
        return format_ratio(estimate, low, high)
    return f"{_number(estimate)} {_reach(low, high)}"


def exponent(evidence: Evidence) -> str:
    """Return "1.93 [1.85, 2.01]"."""
    if evidence.estimate is None or evidence.low is None or evidence.high is None:
        return NOT_MEASURED
    return f"{evidence.estimate:.2f} [{evidence.low:.2f}, {evidence.high:.2f}]"


def _number(ratio: float) -> str:
    """Return "2.1x"; of a median in which an arm missed, which arm that was."""
    if math.isinf(ratio):
        return "the base missed"
    return "the arm missed" if ratio == 0 else f"{ratio:.3g}x"


def _reach(low: float, high: float) -> str:
    """Return an interval with an open end, in words: "[1.2x or more]"."""
    if low == high:
        return f"[{_number(low)}]"
    if math.isinf(high):
        return f"[{low:.3g}x or more]" if low > 0 else "[any ratio]"
    return f"[{low:.3g}x, {high:.3g}x]"


def _rests_on(evidence: Evidence) -> str:
    counts = ((evidence.num_pairs, "pairs"), (evidence.num_seeds, "seeds"), (evidence.num_widths, "widths"))
    return ", ".join(f"{count} {what}" for count, what in counts if count is not None) or NOT_MEASURED


def _factors(evidence: Evidence) -> str:
    numbers = evidence.numbers
    if "steps_factor" not in numbers:
        return ""
    sentence = f"Steps {numbers['steps_factor']:.2f}x, step time {numbers['step_time_factor']:.2f}x"
    rest = f", rest {numbers['rest_factor']:.2f}x" if "rest_factor" in numbers else ""
    seeds = numbers["num_seeds_of_factors"]
    return f"{sentence}{rest} in the {seeds:g} seeds that both reach."
