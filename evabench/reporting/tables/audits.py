"""The audits of all bases beside each other, as a table; the reasons stand below each claim."""

from collections.abc import Mapping, Sequence

from evabench.claims.audit import ANSWERS
from evabench.claims.implementation import Answer
from evabench.reporting.report import Report
from evabench.reporting.tables.table import NOT_MEASURED, Table

_MAX_BESIDE = 6  # comparisons that have a column each
_MAX_NAMED = 2  # comparisons of one answer
_NOTE = "From stored runs alone; the reason of each answer stands below its claim. Unknown: nothing stored tells."


def audits_table(report: Report) -> Table | None:
    """Return question by comparison, of many comparisons question by answer; None where nothing was audited."""
    judged = (*report.judgements, *report.pairs)
    audits = {(one.workload, one.arm, one.base): one for judgement in judged for one in judgement.audits}
    if not audits:
        return None
    several = len({workload for workload, _, _ in audits}) > 1
    questions = list(dict.fromkeys(question.text for audit in audits.values() for question in audit.questions))
    answers = {
        f"{arm} against {base}{f' on {workload}' if several else ''}": {
            question.text: question.answer for question in audit.questions
        }
        for (workload, arm, base), audit in audits.items()
    }
    return _beside(questions, answers) if len(answers) <= _MAX_BESIDE else _counted(questions, answers)


def _beside(questions: Sequence[str], answers: Mapping[str, Mapping[str, Answer]]) -> Table:
    return Table(
        title="Was it a fair fight?",
        headings=("question", *answers),
        rows=tuple((text, *(one.get(text, NOT_MEASURED) for one in answers.values())) for text in questions),
        note=_NOTE,
    )


def _counted(questions: Sequence[str], answers: Mapping[str, Mapping[str, Answer]]) -> Table:
    """Return how many comparisons have which answer: a column each would be wider than any page."""
    of_each = {text: {pair: one[text] for pair, one in answers.items() if text in one} for text in questions}
    return Table(
        title=f"Was it a fair fight? {len(answers)} comparisons",
        headings=("question", *ANSWERS, "where it was not"),
        rows=tuple(
            (
                text,
                *(str(list(found.values()).count(answer)) for answer in ANSWERS),
                _named([pair for pair, answer in found.items() if answer == "no"], len(answers)),
            )
            for text, found in of_each.items()
        ),
        note=_NOTE,
        text=frozenset({"where it was not"}),
    )


def _named(pairs: Sequence[str], num_all: int) -> str:
    """Return the first comparisons by name, and how many more there are; "in all" where they are all."""
    if len(pairs) == num_all:
        return "in all"
    more = len(pairs) - _MAX_NAMED
    return "; ".join(pairs[:_MAX_NAMED]) + (f"; and {more} more" if more > 0 else "") or NOT_MEASURED
