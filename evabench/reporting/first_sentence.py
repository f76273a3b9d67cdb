"""The answer to a claim in one breath: what it is not about, the verdict, the number with its interval, and n."""

import re

from evabench.claims.audit import SECOND_ORDER
from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.claims.validity import FOLLOWS
from evabench.reporting.tables.table import NOT_MEASURED
from evabench.reporting.tables.verdicts import audit_noes, estimate_words, rests_on

_MAX_FIRST = 2  # sentences before the verdict: of many workloads each may have some, and ten seconds are short
_END_OF_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")


def sentence(judgement: Judgement) -> str:
    """Return "Refuted: Eva is sooner than SGD (0.81x [0.74, 0.88]; 8 pairs, 8 seeds; mlp).".

    Before it stands what the verdict says first, and behind one that is undecided why it is. Where nothing was tested
    no number stands: what was measured is of something else.
    """
    claim = judgement.claim.text.strip().removesuffix(".")
    told = [one for one in (estimate(judgement), rests(judgement), _where(judgement)) if one]
    reason = _END_OF_SENTENCE.split(judgement.reason.strip())[0].removesuffix(".").removeprefix("Not tested: ")
    if judgement.here is Verdict.NOT_TESTED or not told:
        told = [reason]
    why = f" {reason}." if judgement.here is Verdict.INCONCLUSIVE and told != [reason] else ""
    head = f"{verdict_words(judgement).capitalize()}{_noes(judgement)}"
    return " ".join((*_first(judgement), f"{head}: {claim} ({'; '.join(told)}).{why}"))


def verdict_words(judgement: Judgement) -> str:
    """Return "refuted", or "refuted here" of a claim that is about other conditions than these."""
    return judgement.here.value + (" here" if judgement.as_stated is not judgement.here else "")


def noes_words(judgement: Judgement) -> str:
    """Return "audit: trials equal? no", of several "audit: 3 no"; empty where it has none that is not said first."""
    said = any(FOLLOWS in one for one in judgement.first)
    noes = [one for one in audit_noes(judgement) if not (said and one == SECOND_ORDER)]
    if not noes:
        return ""
    return f"audit: {noes[0]} no" if len(noes) == 1 else f"audit: {len(noes)} no"


def deciding(judgement: Judgement) -> list[Evidence]:
    """Return the comparisons that decide, the least favourable for the arm first."""
    found = [one for one in judgement.evidence if one.decides and one.estimate is not None]
    sign = 1 if judgement.claim.relation in ("at_least", "up_to", "not_worse_by") else -1
    return sorted(found, key=lambda one: sign * (one.estimate or 0.0))


def estimate(judgement: Judgement) -> str:
    """Return the estimate with its interval; of several comparisons the lowest and the highest."""
    if judgement.claim.value is None:
        return ""  # a condition that holds or not
    rising = sorted(deciding(judgement), key=lambda one: one.estimate or 0.0)
    words = [estimate_words(judgement.claim.quantity, one) for one in rising]
    return " to ".join(dict.fromkeys((words[0], words[-1]))) if words else ""


def rests(judgement: Judgement) -> str:
    """Return "8 pairs, 8 seeds", or of how many comparisons it was taken."""
    evidence = deciding(judgement) or [one for one in judgement.evidence if one.decides]
    if len(evidence) == 1:
        told = rests_on(evidence[0])
        return "" if told == NOT_MEASURED else told
    return f"{len(evidence)} comparisons" if evidence else ""


def _first(judgement: Judgement) -> tuple[str, ...]:
    first = judgement.first
    more = len(first) - _MAX_FIRST
    return first if more <= 0 else (*first[:_MAX_FIRST], f"{more} more such remarks stand at the claim.")


def _noes(judgement: Judgement) -> str:
    words = noes_words(judgement)
    return f" ({words})" if words else ""


def _where(judgement: Judgement) -> str:
    workloads = dict.fromkeys(one.workload for one in deciding(judgement))
    return next(iter(workloads)) if len(workloads) == 1 else f"{len(workloads)} workloads" if workloads else ""
