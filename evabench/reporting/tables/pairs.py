"""Each arm against the reference, one line per arm and workload, where a suite claims nothing itself."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from evabench.claims.judgement import Judgement
from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One arm against the reference on one workload."""

    name: str  # "Mine against SGD"
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
            words=" ".join((f"{words}.", *_said_first(judgements))),
            judgements=judgements,
        )
        for ((workload,), arm, (base,)), judgements in found
        if (words := "; ".join(_found(judgements)))
    )


def pair_lines(report: Report) -> tuple[str, ...]:
    """Return one line per pair: "Mine against SGD: step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..."."""
    return tuple(f"{name}: {words}" for name, words in pairs_table(make_pairs(report)).rows)


def pairs_table(pairs: Sequence[Pair]) -> Table:
    """Return the pairs as a table, whose rows have addresses."""
    return Table(
        title="Arm against arm",
        headings=("pair", "found"),
        text=frozenset({"found"}),
        rows=tuple((pair.name, pair.words) for pair in pairs),
    )


def _said_first(judgements: Sequence[Judgement]) -> Iterator[str]:
    yield from dict.fromkeys(sentence for judgement in judgements for sentence in judgement.first)


def _found(judgements: Sequence[Judgement]) -> Iterator[str]:
    for judgement in judgements:
        said, asked = _WORDS[judgement.claim.quantity]
        found = next((one for one in judgement.evidence if one.decides and one.estimate is not None), None)
        if found is None:
            yield f"{asked}: {judgement.here} ({judgement.reason.removesuffix('.')})"
        elif judgement.claim.quantity in TO_TARGET and found.estimate in (0.0, math.inf):
            words = "reaches" if found.estimate else "does not reach"
            yield f"{words} the target, unlike {found.base}, {asked}: {judgement.here}"
        else:
            yield f"{said.format(estimated(found))}, {asked}: {judgement.here}"
