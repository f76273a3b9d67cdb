"""What a reader sees first, in ten seconds: one sentence, a strip a decided claim, one picture, host and command."""

import math
from collections.abc import Sequence

from evabench.claims.judgement import Evidence, Judgement, Verdict
from evabench.reporting.cards import CLAIMS_ADDRESS, PAIRS_ADDRESS, card_address
from evabench.reporting.commands import run_command
from evabench.reporting.descents import descents_answer
from evabench.reporting.document import Figure, FirstScreen, Gauge, Section, Strip
from evabench.reporting.facts import facts
from evabench.reporting.first_sentence import END_OF_SENTENCE, behind, deciding, estimate, rests, sentence
from evabench.reporting.meanings import MEANINGS, unit_of
from evabench.reporting.open_claims import open_claims
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.report import Report
from evabench.reporting.tables.headlines import noes_words, verdict_words
from evabench.reporting.tables.pairs import pair_lines
from evabench.reporting.tables.table import counted
from evabench.settings.claims import Claim, Quantity, Relation

# The picture that shows what a claim is about, by the first part of its address.
_STORIES: dict[Quantity, str] = {
    "time_to_target_ratio": "convergence",
    "steps_to_target_ratio": "convergence",
    "step_time_ratio": "step-time",
    "tensor_peak_ratio": "memory",
    "validation_loss_ratio": "convergence",
    "validation_loss_difference": "convergence",
    "validation_accuracy_difference": "convergence",
    "curvature_growth": "growth-1",
    "curvature_bytes_ratio": "growth-1",
    "work_growth": "work-growth-1",
    "cost_exponent": "cost-growth-1",
}
_RELATIONS: dict[Relation, str] = {
    "at_least": "at least {}",
    "at_most": "at most {}",
    "up_to": "up to {}",
    "equal_within": "equal within {}",
    "not_worse_by": "not worse by {}",
    "exact": "at most {}",
}
_RATIOS: tuple[Quantity, ...] = (
    "time_to_target_ratio",
    "steps_to_target_ratio",
    "step_time_ratio",
    "tensor_peak_ratio",
    "validation_loss_ratio",
)
_ANSWERS = ("shares", "rate")  # pictures of what no claim is about: their suites ask for just this
_MARGIN = 0.25  # of a gauge, beyond what it shows


def first_screen(report: Report, sections: Sequence[Section]) -> FirstScreen:
    """Return the first screen; its picture is one of the sections' own."""
    told, asked = _told_first(report), _asked(report)
    said = asked.first if asked else ()
    picture = _story(asked, sections)
    answer, more, address = _answer(report, asked, picture)
    return FirstScreen(
        answer=answer,
        behind=more,
        address=address,
        strips=tuple(_strip(report, judgement, said) for judgement in told),
        open=open_claims(report.judgements, told),
        picture=picture,
        facts=tuple(facts(report)),
        command=run_command(report.suite),
    )


def _told_first(report: Report) -> list[Judgement]:
    """Return the claims that are decided as stated; those decided here alone where a suite claims nothing itself."""
    decided = [judgement for judgement in report.judgements if judgement.here.decided]
    claims_itself = any(judgement.claim.local for judgement in report.judgements)
    as_stated = [judgement for judgement in decided if judgement.as_stated.decided]
    return as_stated if as_stated or claims_itself else decided


def _asked(report: Report) -> Judgement | None:
    """Return the claim that the page answers first: the suite's headline, else what its runs decided or left open."""
    tested = () if report.pairs else (one for one in report.judgements if one.here is not Verdict.NOT_TESTED)
    return report.headline or next(iter((*_told_first(report), *tested)), None)


def _answer(report: Report, asked: Judgement | None, picture: Figure | None) -> tuple[str, str, str]:
    """Return the answer to the suite's question in one sentence, what it rests on, and the address of its numbers.

    Where no claim was tested it is what the picture shows, if the picture itself is an answer.
    """
    if asked is not None:
        return sentence(asked), behind(asked), card_address(report, asked)
    counts = _counts([one.here for one in report.judgements])
    if picture is not None and isinstance(picture.part, Picture) and picture.part.name in _ANSWERS:
        first, *more = END_OF_SENTENCE.split(picture.part.alt)
        return first, " ".join(filter(None, (*more, counts))), picture.address
    descents, rest = descents_answer(report)
    if descents:
        return descents, rest, PAIRS_ADDRESS
    if report.pairs:
        first, *more = END_OF_SENTENCE.split(next(iter(pair_lines(report)), ""))
        return first, " ".join(more), PAIRS_ADDRESS if first else ""
    return counts, "", CLAIMS_ADDRESS if counts else ""


def _counts(told: Sequence[Verdict]) -> str:
    """Return what the claims came to, as a sentence; empty where there are none."""
    if told and set(told) == {Verdict.NOT_TESTED}:
        return f"None of {counted(len(told), 'claim')} is tested here."
    counts = [f"{told.count(verdict)} {verdict.value}" for verdict in Verdict if verdict in told]
    return f"Of {counted(len(told), 'claim')} {', '.join(counts)} here." if told else ""


def _strip(report: Report, judgement: Judgement, said: Sequence[str]) -> Strip:
    """Return a decided claim in one line; what it says first stands there unless the answer above has `said` it."""
    evidence, found = deciding(judgement), estimate(judgement)
    return Strip(
        id=judgement.claim_id,
        address=card_address(report, judgement),
        verdict=judgement.here,
        verdict_words=verdict_words(judgement),
        text=judgement.claim.text,
        estimate=found,
        unit=unit_of(judgement.claim.quantity, found),
        threshold=_threshold(judgement.claim),
        rests_on="; ".join(filter(None, (rests(judgement), noes_words(judgement)))),
        first=" ".join(one for one in judgement.first if one not in said),
        gauge=_gauge(evidence[0], judgement.claim) if len(evidence) == 1 else None,
    )


def _threshold(claim: Claim) -> str:
    """Return "at least 1x (within 5 %)"; empty where a claim has no number."""
    if claim.value is None:
        return ""
    number = f"{claim.value:.3g}x" if claim.quantity in _RATIOS else f"{claim.value:g}"
    if claim.quantity == "curvature_bytes_ratio":
        number = f"{claim.value:.3g} of it" if claim.value > 1 else f"{100 * claim.value:g} %"
    within = f" (within {100 * claim.tolerance:g} %)" if claim.tolerance and claim.quantity in _RATIOS else ""
    return _RELATIONS[claim.relation].format(number) + within


def _gauge(evidence: Evidence, claim: Claim) -> Gauge | None:
    """Return the places of an interval and its threshold on a logarithmic scale; None without a whole interval."""
    values = (evidence.low, evidence.estimate, evidence.high)
    if claim.value is None or claim.relation not in ("at_least", "at_most", "up_to"):
        return None
    if any(value is None or not math.isfinite(value) or value <= 0 for value in values):
        return None
    threshold = claim.value
    low, estimate, high = (math.log(value) for value in values if value is not None)
    wanted = math.log(threshold)
    first, last = min(low, wanted), max(high, wanted)
    margin = _MARGIN * (last - first) or 0.1
    width = last - first + 2 * margin

    def place(value: float) -> float:
        return round(100 * (value - first + margin) / width, 1)

    meaning = MEANINGS[claim.quantity]
    return Gauge(
        low=place(low),
        estimate=place(estimate),
        high=place(high),
        threshold=place(wanted),
        less=meaning.less,
        more=meaning.more,
    )


def _story(asked: Judgement | None, sections: Sequence[Section]) -> Figure | None:
    """Return the picture of what is asked; where there is none, that of the first trainings, else the first one."""
    pictures = [one for section in sections for one in section.figures if isinstance(one.part, Picture)]
    wanted = _STORIES[asked.claim.quantity] if asked else "convergence"
    workloads = {one.workload for one in asked.evidence} if asked else set()
    ranked = sorted(
        pictures,
        key=lambda one: (one.address.split(".")[0] != wanted, one.origin.workload not in workloads),
    )
    return ranked[0] if ranked else None
