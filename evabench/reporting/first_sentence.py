"""The answer to a claim in one breath: a first sentence of thirty words or so, and behind it what it rests on.

The first sentence has the verdict, what it is not about in a clause, the claim, and the number with its interval.
"""

import re
from collections.abc import Iterator

from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.reporting.meanings import unit_of
from evabench.reporting.tables.headlines import begun, noes_sentence, short_headline
from evabench.reporting.tables.table import NOT_MEASURED
from evabench.reporting.tables.verdicts import estimate_words, rests_on

_MAX_REMARKS = 2  # of many workloads each may have some, and ten seconds are short
END_OF_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
_ASIDE = re.compile(r" \((too few[^)]*)\)")


def sentence(judgement: Judgement) -> str:
    """Return "Refuted: Eva is sooner than SGD (0.81x [0.74, 0.88] as fast).".

    Where nothing was tested no number stands: what was measured is of something else.
    """
    told = "" if judgement.here is Verdict.NOT_TESTED else estimate(judgement)
    if told and judgement.claim.quantity == "time_to_target_ratio" and "missed" not in told:
        told = f"{told} as fast"
    if _speaks_of_another(judgement):
        told = f"{told} {unit_of(judgement.claim.quantity, told)}".strip()
    claim = judgement.claim.text.strip().removesuffix(".")
    return f"{begun(short_headline(judgement))}: {claim}{f' ({_flat(told)})' if told else ''}."


def _speaks_of_another(judgement: Judgement) -> bool:
    """Return whether the number is of something that the claim does not name."""
    quantity, words = judgement.claim.quantity, judgement.claim.text.lower()
    return quantity == "cost_exponent" or (quantity == "step_time_ratio" and "step" not in words)


def _flat(told: str) -> str:
    """Return an estimate as it stands in brackets: what is in brackets itself follows behind a comma."""
    return ", ".join((_ASIDE.sub("", told), *dict.fromkeys(_ASIDE.findall(told))))


def behind(judgement: Judgement) -> str:
    """Return "Measured in 8 pairs and 8 seeds on the net mlp.", why it is undecided, and what it is not about."""
    return " ".join(_behind(judgement))


def _reason(judgement: Judgement) -> str:
    """Return the first sentence of the reason, without its full stop."""
    return END_OF_SENTENCE.split(judgement.reason.strip())[0].removesuffix(".").removeprefix("Not tested: ")


def _remarks(first: tuple[str, ...]) -> Iterator[str]:
    """Yield what verdicts say they are not about: of many sentences two, and how many more there are."""
    yield from first[:_MAX_REMARKS]
    if (more := len(first) - _MAX_REMARKS) > 0:
        yield f"{more} more such remarks stand at the claim."


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


def _behind(judgement: Judgement) -> Iterator[str]:
    """Yield why it is undecided, what it rests on, and what it is not about."""
    measured = "" if judgement.here is Verdict.NOT_TESTED else _measured(rests(judgement), _where(judgement))
    if not measured or not judgement.here.decided:
        yield f"{begun(_reason(judgement))}."
    if measured:
        yield measured
    yield from _remarks(judgement.first)
    if noes := noes_sentence(judgement):
        yield noes


def _measured(counts: str, where: str) -> str:
    """Return "Measured in 8 pairs and 8 seeds on the net mlp."; empty where neither is known."""
    told = [f"in {counts.replace(', ', ' and ')}" if counts else "", f"on {where}" if where else ""]
    return f"Measured {' '.join(filter(None, told))}." if any(told) else ""


def _where(judgement: Judgement) -> str:
    workloads = dict.fromkeys(one.workload for one in deciding(judgement))
    if len(workloads) == 1:
        return f"the net {next(iter(workloads))}"
    return f"{len(workloads)} nets" if workloads else ""
