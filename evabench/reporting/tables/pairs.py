"""Each arm against the reference, one line per arm and workload, where a suite claims nothing itself."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.reporting.report import Report
from evabench.reporting.tables.headlines import headline, noes_sentence, short_headline
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.reporting.tables.verdicts import estimated
from evabench.settings.claims import TO_TARGET, Quantity

PAIRS = (
    "The suite claims nothing itself, so each arm is asked whether it is as good as the reference. Each question is "
    "answered by itself at 5 %: of many true ones a few are answered wrongly."
)
# What was found, and the word that it was asked about.
_WORDS: dict[Quantity, tuple[str, str]] = {
    "step_time_ratio": ("step {}", "no dearer"),
    "time_to_target_ratio": ("reaches the target {} as fast", "no later"),
    "validation_loss_ratio": ("ends at {} the loss", "no higher"),
}

_SEVERAL = 3  # pairs, of which a reason is told once for all
# The columns of a number and of its answer.
_COLUMNS: dict[Quantity, tuple[str, str]] = {
    "step_time_ratio": ("step ratio", "no dearer?"),
    "time_to_target_ratio": ("speed to target", "no later?"),
    "validation_loss_ratio": ("loss ratio", "no higher?"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One arm against the reference on one workload."""

    name: str  # "Mine against SGD"
    first: str  # what its answers are not about; empty: nothing
    words: str  # "step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..., no later: supported. ..."
    judgements: tuple[Judgement, ...]


def make_pairs(report: Report) -> tuple[Pair, ...]:
    """Return the pairs of which anything was asked."""
    grouped = groupby(report.pairs, key=lambda one: (one.claim.workloads, one.claim.arm, one.claim.bases))
    several = len(report.suite.workloads) > 1
    found = [(key, tuple(judgements)) for key, judgements in grouped]
    return tuple(
        Pair(
            name=f"{arm} against {base}{f' on {workload}' if several else ''}",
            first=" ".join(_said_first(judgements)),
            words=" ".join((f"{words}.", *_behind(judgements))),
            judgements=judgements,
        )
        for ((workload,), arm, (base,)), judgements in found
        if (words := "; ".join(_found(judgements)))
    )


def pair_lines(report: Report) -> tuple[str, ...]:
    """Return one line per pair: "Mine against SGD: step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..."."""
    return tuple(f"{pair.name}: {pair.words}" for pair in make_pairs(report))


def pairs_table(pairs: Sequence[Pair]) -> Table | None:
    """Return the pairs as a table, a number and its answer for each question; None where nothing was asked."""
    if not pairs:
        return None
    asked = [one for one in _COLUMNS if any(_of(pair, one) for pair in pairs)]
    answers = tuple(heading for one in asked for heading in _COLUMNS[one])
    shared = _shared_reasons(pairs)
    first = ("said first",) if any(pair.first for pair in pairs) else ()
    own = {reason for pair in pairs for reason in _reasons(pair.judgements)} - set(shared)
    why = ("why it is open",) if own else ()
    return Table(
        title="Each arm against the reference",
        headings=("pair", *first, *answers, *why),
        rows=tuple(
            (
                pair.name,
                *(pair.first or NOT_MEASURED for _ in first),
                *(cell for one in asked for cell in _cells(_of(pair, one))),
                *(_open(pair, shared) for _ in why),
            )
            for pair in pairs
        ),
        text=frozenset({*(answer for one in asked for answer in _COLUMNS[one][1:]), *first, *why}),
        note=(
            "A step and a loss are those of the first arm over those of the second: below 1x is cheaper, or lower. A "
            "speed to the target is the other way round: below 1x is slower."
            + "".join(f" {reason}" for reason in shared)
        ),
    )


def _of(pair: Pair, quantity: Quantity) -> Judgement | None:
    return next((one for one in pair.judgements if one.claim.quantity == quantity), None)


def _cells(judgement: Judgement | None) -> tuple[str, str]:
    """Return the number and its answer."""
    if judgement is None:
        return NOT_MEASURED, NOT_MEASURED
    found = _deciding(judgement)
    shown = found is not None and judgement.here is not Verdict.NOT_TESTED
    return estimated(found) if found and shown else NOT_MEASURED, headline(judgement)


def _deciding(judgement: Judgement) -> Evidence | None:
    return next((one for one in judgement.evidence if one.decides and one.estimate is not None), None)


def _shared_reasons(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return the reasons of several pairs: the note tells them once."""
    counts = Counter(reason for pair in pairs for reason in _reasons(pair.judgements))
    return tuple(reason for reason, count in counts.items() if count >= _SEVERAL)


def _open(pair: Pair, shared: Sequence[str]) -> str:
    """Return the reasons of its own, and that others stand in the note."""
    found = _reasons(pair.judgements)
    own = [reason for reason in found if reason not in shared]
    return " ".join([*own, *(["see below"] if len(own) < len(found) else [])]) or NOT_MEASURED


def _reasons(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    """Return why their answers are open, each reason once."""
    reasons = (one.reason.removeprefix("Not tested: ") for one in judgements if not one.here.decided)
    return tuple(dict.fromkeys(reasons))


def _behind(judgements: Sequence[Judgement]) -> Iterator[str]:
    """Yield why the open ones are open, and what their answers are not about."""
    yield from _reasons(judgements)
    yield from _said_first(judgements)
    yield from dict.fromkeys(filter(None, map(noes_sentence, judgements)))


def _said_first(judgements: Sequence[Judgement]) -> Iterator[str]:
    yield from dict.fromkeys(sentence for judgement in judgements for sentence in judgement.first)


def _found(judgements: Sequence[Judgement]) -> Iterator[str]:
    for judgement in judgements:
        said, asked = _WORDS[judgement.claim.quantity]
        told = f"{asked}: {short_headline(judgement)}"
        found = _deciding(judgement)
        if found is None or judgement.here is Verdict.NOT_TESTED:
            yield told
        elif judgement.claim.quantity in TO_TARGET and found.estimate in (0.0, math.inf):
            words = "reaches" if found.estimate else "does not reach"
            yield f"{words} the target, unlike {found.base}, {told}"
        else:
            yield f"{said.format(estimated(found))}, {told}"
