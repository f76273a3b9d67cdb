"""Each arm against the reference, one line per arm and workload, where a suite claims nothing itself."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from evabench.claims.judgement import Judgement
from evabench.reporting.report import Report
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


def pair_lines(report: Report) -> tuple[str, ...]:
    """Return one line per pair: "Mine against SGD: step 1.13x [0.83, 1.53], no dearer: inconclusive; reaches ..."."""
    pairs = groupby(report.pairs, key=lambda one: (one.claim.workloads, one.claim.arm, one.claim.bases))
    several = len(report.suite.workloads) > 1
    found = [(key, list(judgements)) for key, judgements in pairs]
    return tuple(
        " ".join((f"{arm} against {base}{f' on {workload}' if several else ''}: {words}.", *_said_first(judgements)))
        for ((workload,), arm, (base,)), judgements in found
        if (words := "; ".join(_found(judgements)))
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
