"""The claims that the first screen does not show, counted by who made them and by what is known of them."""

from collections.abc import Iterator, Sequence

from evabench.claims.judgement import Judgement, Verdict
from evabench.reporting.tables.table import counted


def open_claims(judgements: Sequence[Judgement], shown: Sequence[Judgement]) -> tuple[str, ...]:
    """Return "16 published claims about these optimizers: 1 undecided, 15 not tested here", a line an origin."""
    rest = [one for one in judgements if one not in shown]
    own = [one for one in rest if one.claim.local]
    published = [one for one in rest if not one.claim.local]
    return tuple(_lines(own, "{} of this suite", shown)) + tuple(
        _lines(published, "published {} about these optimizers", shown)
    )


def _lines(found: Sequence[Judgement], what: str, shown: Sequence[Judgement]) -> Iterator[str]:
    """Yield the line of one origin; "more" stands where claims of the same origin are shown above."""
    if not found:
        return
    more = "more " if any(one.claim.local is found[0].claim.local for one in shown) else ""
    number, noun = counted(len(found), "claim").split(" ")
    yield f"{number} {more}{what.format(noun)}: {_told(found)}"


def _told(found: Sequence[Judgement]) -> str:
    """Return "2 undecided, 1 not tested here"; where all are one of these, the word alone."""
    told = tuple(_counts(found))
    return ", ".join(told) if len(told) > 1 else told[0].partition(" ")[2]


def _counts(found: Sequence[Judgement]) -> Iterator[str]:
    elsewhere = sum(one.here.decided for one in found)
    undecided = sum(one.here is Verdict.INCONCLUSIVE for one in found)
    untested = sum(one.here is Verdict.NOT_TESTED for one in found)
    for count, words in (
        (undecided, "undecided"),
        (elsewhere, "decided under other conditions than its own"),
        (untested, "not tested here"),
    ):
        if count:
            yield f"{count} {words if count == 1 else words.replace('its own', 'their own')}"
