"""Each arm against the reference, one line per arm and workload, where a suite claims nothing itself."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from evabench.claims.judgement import Judgement, Verdict
from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table
from evabench.reporting.tables.verdicts import estimated, headline
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One arm against the reference on one workload."""

    name: str  # "Mine against SGD"
    first: str  # what its answers say before they answer; empty: nothing
    words: str  # "step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..."
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
            words=f"{words}.",
            judgements=judgements,
        )
        for ((workload,), arm, (base,)), judgements in found
        if (words := "; ".join(_found(judgements)))
    )


def pair_lines(report: Report) -> tuple[str, ...]:
    """Return one line per pair: "Mine against SGD: step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..."."""
    return tuple(_line(pair.first, f"{pair.name}: {pair.words}") for pair in make_pairs(report))


def pairs_table(pairs: Sequence[Pair]) -> Table:
    """Return the pairs as a table, whose rows have addresses."""
    return Table(
        title="Arm against arm",
        headings=("pair", "found"),
        text=frozenset({"found"}),
        rows=tuple((pair.name, _line(pair.first, pair.words)) for pair in pairs),
    )


def _line(first: str, words: str) -> str:
    return f"{first} {words}" if first else words


def _said_first(judgements: Sequence[Judgement]) -> Iterator[str]:
    yield from dict.fromkeys(sentence for judgement in judgements for sentence in judgement.first)


def _found(judgements: Sequence[Judgement]) -> Iterator[str]:
    for judgement in judgements:
        said, asked = _WORDS[judgement.claim.quantity]
        told = f"{asked}: {headline(judgement)}"
        if not judgement.here.decided:
            told = f"{told} ({judgement.reason.removesuffix('.')})"
        found = next((one for one in judgement.evidence if one.decides and one.estimate is not None), None)
        if found is None or judgement.here is Verdict.NOT_TESTED:
            yield told
        elif judgement.claim.quantity in TO_TARGET and found.estimate in (0.0, math.inf):
            words = "reaches" if found.estimate else "does not reach"
            yield f"{words} the target, unlike {found.base}, {told}"
        else:
            yield f"{said.format(estimated(found))}, {told}"
