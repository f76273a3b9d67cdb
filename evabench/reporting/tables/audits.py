"""The audits of all bases beside each other, as a table; the reasons stand below each claim."""

from evabench.reporting.report import Report
from evabench.reporting.tables.table import NOT_MEASURED, Table


def audits_table(report: Report) -> Table | None:
    """Return question by comparison; None where nothing was audited."""
    judged = (*report.judgements, *report.pairs)
    audits = {(one.workload, one.arm, one.base): one for judgement in judged for one in judgement.audits}
    if not audits:
        return None
    several = len({workload for workload, _, _ in audits}) > 1
    questions = list(dict.fromkeys(question.text for audit in audits.values() for question in audit.questions))
    answers = [{question.text: question.answer for question in audit.questions} for audit in audits.values()]
    return Table(
        title="Was it a fair fight?",
        headings=(
            "question",
            *(f"{arm} against {base}{f' on {workload}' if several else ''}" for workload, arm, base in audits),
        ),
        rows=tuple((question, *(one.get(question, NOT_MEASURED) for one in answers)) for question in questions),
        note="From stored runs alone; the reason of each answer stands below its claim. Unknown: nothing stored tells.",
    )
