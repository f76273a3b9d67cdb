"""Verdicts in words: the same sentences in the terminal, in Markdown and in HTML."""

import math
from collections.abc import Sequence

from evabench.claims.audit import ANSWERS
from evabench.claims.judgement import Evidence, Judgement
from evabench.reporting.tables.headlines import begun, headline
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.settings.claims import TO_TARGET, Quantity
from evabench.units import format_interval, format_ratio

_LARGE = 1000  # of a ratio: above it "21,000x" instead of "2.1e+04x"
_QUANTITIES: dict[Quantity, str] = {
    "time_to_target_ratio": "time of the base to the target / that of the arm",
    "steps_to_target_ratio": "steps of the base to the target / those of the arm",
    "step_time_ratio": "step of the arm / step of the base",
    "tensor_peak_ratio": "peak of live tensors of the arm / that of the base",
    "validation_loss_ratio": "validation loss of the arm / that of the base",
    "validation_loss_difference": "validation loss of the base - that of the arm",
    "validation_accuracy_difference": "validation accuracy of the arm - that of the base",
    "curvature_growth": "curvature state of the arm / that of the base, at the widest",
    "curvature_bytes_ratio": "curvature state of the arm / that of the base",
    "work_growth": "degree in the width of the work of the arm's own operators",
    "cost_exponent": "exponent of the width in the step of the arm less that of the base",
}
_FINDINGS: dict[Quantity, str] = {
    "time_to_target_ratio": "{arm} reached the target {found} as fast as {base} on {workload}",
    "steps_to_target_ratio": "{base} took {found} the steps of {arm} to the target on {workload}",
    "step_time_ratio": "A step of {arm} took {found} that of {base} on {workload}",
    "tensor_peak_ratio": "A step of {arm} takes {found} the memory of one of {base} on {workload}",
    "validation_loss_ratio": "The validation loss of {arm} was {found} that of {base} on {workload}",
    "validation_loss_difference": "The validation loss of {base} less that of {arm} was {found} on {workload}",
    "validation_accuracy_difference": "The validation accuracy of {arm} less that of {base} was {found} on {workload}",
    "curvature_growth": "",
    "curvature_bytes_ratio": "The curvature state of {arm} is {found} of that of {base} at the widest",
    "work_growth": "The work of {arm}'s own operators grows like {found}",
    "cost_exponent": "The step of {arm} less that of {base} grows like d^{found}",
}


def answer(judgement: Judgement) -> str:
    """Return the answer to the claim in one breath: "Supported (audit: ... no): Eva is sooner. Eva ..."."""
    verdict = f"{begun(headline(judgement))}: {judgement.claim.text}"
    return " ".join(filter(None, (verdict, measured(judgement), judgement.reason, *judgement.first)))


def claim_warnings(judgements: Sequence[Judgement]) -> list[str]:
    """Return what a reader has to know before any of these verdicts, each once."""
    return list(dict.fromkeys(sentence for one in judgements for e in one.evidence for sentence in e.warnings))


def audit_counts(judgement: Judgement) -> str:
    """Return "Audit of SGD: 6 yes, 1 no, 3 unknown.", a sentence a base; empty where nothing was audited."""
    return " ".join(
        f"Audit of {one.base}: {', '.join(f'{len(one.answered(a))} {a}' for a in ANSWERS)}." for one in judgement.audits
    )


def audit_reasons(judgement: Judgement) -> tuple[str, ...]:
    """Return "Weight decay tuned? no: ...", a sentence per question that was answered so."""
    found = (
        f"{question.text.capitalize()} no ({one.base} on {one.workload}): {question.reason}"
        for one in judgement.audits
        for question in one.answered("no")
    )
    return tuple(dict.fromkeys(found))


def audit_table(judgement: Judgement) -> Table | None:
    """Return the questions about the bases that decide, with their answers; None where nothing was audited."""
    audits = judgement.audits
    if not audits:
        return None
    return Table(
        title="Baseline audit: was it a fair fight?",
        headings=("question", "workload", "base", "answer", "from"),
        text=frozenset({"workload", "base", "answer", "from"}),
        rows=tuple(
            (question.text, one.workload, one.base, question.answer, question.reason)
            for one in audits
            for question in one.questions
        ),
        note="From stored runs alone. Unknown: nothing that is stored tells.",
    )


def decided_by(judgement: Judgement) -> str:
    """Return which suite would decide the claim, as a sentence; empty where it is decided or none is known."""
    if judgement.would_decide is None or judgement.here.decided:
        return ""
    return f"The suite that is large enough to decide it here: {judgement.would_decide}."


def measured(judgement: Judgement) -> str:
    """Return the deciding estimates as a sentence; empty where there are none."""
    found = [_finding(judgement.claim.quantity, one) for one in judgement.evidence if one.decides]
    return " ".join(f"{sentence}." for sentence in dict.fromkeys(found) if sentence)


def _finding(quantity: Quantity, evidence: Evidence) -> str:
    estimate, arm, base, workload = evidence.estimate, evidence.arm, evidence.base, evidence.workload
    if estimate is None:
        both_missed = quantity in TO_TARGET and evidence.num_seeds
        return f"{arm} and {base} both missed the target in every seed on {workload}" if both_missed else ""
    if quantity in TO_TARGET and (estimate == 0 or math.isinf(estimate)):
        reached, not_reached = (base, arm) if estimate == 0 else (arm, base)
        return f"{reached} reached the target, {not_reached} did not (median on {workload})"
    found = estimate_words(quantity, evidence)
    return _FINDINGS[quantity].format(arm=arm, base=base, found=found, workload=workload)


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
                estimate_words(judgement.claim.quantity, one),
                rests_on(one),
                " ".join((*one.notes, _factors(one), _described(one))).strip() or NOT_MEASURED,
            )
            for one in judgement.evidence
        ),
    )


def verdicts_table(judgements: Sequence[Judgement]) -> Table | None:
    """Return every claim with its two answers; None where there is none."""
    if not judgements:
        return None
    return Table(
        title="Claims",
        headings=("claim", "made by", "here", "as stated"),
        text=frozenset({"made by", "here", "as stated"}),
        rows=tuple(
            (one.claim_id, "this suite" if one.claim.local else "others", one.here.value, one.as_stated.value)
            for one in judgements
        ),
    )


def estimate_words(quantity: Quantity, evidence: Evidence) -> str:
    """Return an estimate with its interval, in the form of its quantity."""
    match quantity:
        case "cost_exponent":
            return exponent(evidence)
        case "work_growth" if evidence.estimate is not None:
            return f"d^{evidence.estimate:g}"
        case "validation_loss_difference" | "validation_accuracy_difference":
            return difference(evidence)
        case "curvature_bytes_ratio" | "curvature_growth" if evidence.estimate is not None:
            return f"{evidence.estimate:.2%}"
        case _:
            return estimated(evidence)


def estimated(evidence: Evidence) -> str:
    """Return a ratio with its interval: "1.13x [0.83, 1.53]"."""
    estimate, low, high = evidence.estimate, evidence.low, evidence.high
    if estimate is None:
        return NOT_MEASURED
    if low is None or high is None:
        sampled = evidence.num_pairs or evidence.num_seeds
        return f"{_number(estimate)} (too few for an interval)" if sampled else _number(estimate)
    if estimate > 0 and all(map(math.isfinite, (estimate, low, high))):
        return format_ratio(estimate, low, high)
    return f"{_number(estimate)} {_reach(low, high)}"


def difference(evidence: Evidence) -> str:
    """Return "0.0031 [-0.0012, 0.0074]"."""
    if evidence.estimate is None or evidence.low is None or evidence.high is None:
        return NOT_MEASURED if evidence.estimate is None else f"{evidence.estimate:.3g} (too few for an interval)"
    return format_interval(evidence.estimate, evidence.low, evidence.high)


def exponent(evidence: Evidence) -> str:
    """Return "1.93 [1.85, 2.01]"."""
    if evidence.estimate is None or evidence.low is None or evidence.high is None:
        return NOT_MEASURED
    return format_interval(evidence.estimate, evidence.low, evidence.high)


def _number(ratio: float) -> str:
    """Return "2.1x"; of a median in which an arm missed, which arm that was."""
    if math.isinf(ratio):
        return "the base missed"
    if ratio == 0:
        return "the arm missed"
    return f"{float(f'{ratio:.3g}'):,.0f}x" if ratio >= _LARGE else f"{ratio:.3g}x"


def _reach(low: float, high: float) -> str:
    """Return an interval with an open end, in words: "[1.2x or more]"."""
    if low == high:
        return f"[{_number(low)}]"
    if math.isinf(high):
        return f"[{low:.3g}x or more]" if low > 0 else "[any ratio]"
    return f"[{low:.3g}x, {high:.3g}x]"


def rests_on(evidence: Evidence) -> str:
    """Return "8 pairs, 8 seeds"."""
    counts = ((evidence.num_pairs, "pair"), (evidence.num_seeds, "seed"), (evidence.num_widths, "width"))
    return ", ".join(counted(count, what) for count, what in counts if count is not None) or NOT_MEASURED


def _factors(evidence: Evidence) -> str:
    numbers = evidence.numbers
    if "steps_factor" not in numbers:
        return ""
    sentence = f"Steps {numbers['steps_factor']:.2f}x, step time {numbers['step_time_factor']:.2f}x"
    rest = f", rest {numbers['rest_factor']:.2f}x" if "rest_factor" in numbers else ""
    seeds = numbers["num_seeds_of_factors"]
    return f"{sentence}{rest} in the {seeds:g} seeds that both reach."


def _described(evidence: Evidence) -> str:
    numbers = evidence.numbers
    if "bca_low" not in numbers:
        return ""
    return f"Ratio of medians, 95 % BCa: {numbers['bca_low']:.3f} to {numbers['bca_high']:.3f} (descriptive)."
