"""A verdict in a few words, and in brackets what it is not about: of a card, of a line, of the first sentence."""

from collections.abc import Sequence

from evabench.claims.audit import SECOND_ORDER
from evabench.claims.judgement import Judgement
from evabench.claims.validity import ABOUT_A_RATE

_MAX_CLAUSES = 2  # of a line that is read in ten seconds
_MAX_NOES = 2


def headline(judgement: Judgement) -> str:
    """Return "supported", or "inconclusive here; not tested as stated" where the two answers differ.

    In brackets stands what the verdict is not about, and what its audit answers with a "no".
    """
    told = judgement.here.value
    if judgement.here != judgement.as_stated:
        told = f"{told} here; {judgement.as_stated.value} as stated"
    noes = audit_noes(judgement)
    audited = (f"audit: {'; '.join(f'{text} no' for text in noes)}",) if noes else ()
    return _bracketed(told, (*judgement.clauses, *audited))


def short_headline(judgement: Judgement) -> str:
    """Return the same for a line that is read in ten seconds: "refuted here (about a learning rate; audit: 2 no)"."""
    clauses, noes = judgement.clauses, untold_noes(judgement)
    more = len(clauses) - _MAX_CLAUSES
    if more > 0:
        clauses = (*clauses[:_MAX_CLAUSES], f"{more} more")
    return _bracketed(verdict_words(judgement), (*clauses, *((f"audit: {len(noes)} no",) if noes else ())))


def verdict_words(judgement: Judgement) -> str:
    """Return "refuted", or "refuted here" of a claim that is about other conditions than these."""
    return judgement.here.value + (" here" if judgement.as_stated is not judgement.here else "")


def noes_words(judgement: Judgement) -> str:
    """Return "audit: trials equal? no", of several "audit: 3 no"; empty where it has none."""
    noes = untold_noes(judgement)
    if not noes:
        return ""
    return f"audit: {noes[0]} no" if len(noes) == 1 else f"audit: {len(noes)} no"


def noes_sentence(judgement: Judgement) -> str:
    """Return "Audit: trials equal? no."; empty where nothing was denied, or too much to name in a line."""
    noes = untold_noes(judgement)
    return f"Audit: {'; '.join(f'{text} no' for text in noes)}." if 0 < len(noes) <= _MAX_NOES else ""


def audit_noes(judgement: Judgement) -> tuple[str, ...]:
    """Return the questions that the audits of the deciding bases answer with "no", each once."""
    return tuple(dict.fromkeys(one.text for audited in judgement.audits for one in audited.answered("no")))


def untold_noes(judgement: Judgement) -> tuple[str, ...]:
    """Return them without the one that a clause of the headline says already."""
    told = any(ABOUT_A_RATE in clause for clause in judgement.clauses)
    return tuple(one for one in audit_noes(judgement) if not (told and one == SECOND_ORDER))


def begun(text: str) -> str:
    """Return a text as the beginning of a sentence: names in it stay what they are."""
    return text[:1].upper() + text[1:]


def _bracketed(told: str, others: Sequence[str]) -> str:
    return f"{told} ({'; '.join(others)})" if others else told
