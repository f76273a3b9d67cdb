"""What a reader has to know before the numbers, the same on a page and in a terminal."""

from evabench.findings.interruptions import KnownVisits
from evabench.reporting.report import Report
from evabench.reporting.tables.checks import check_warnings
from evabench.reporting.tables.clock import clock_warnings
from evabench.reporting.tables.convergence import rate_warnings, trivial_warnings
from evabench.reporting.tables.origin import older_warnings, subnormal_warnings
from evabench.reporting.tables.targets import target_warnings
from evabench.reporting.tables.verdicts import claim_warnings
from evabench.reporting.tables.visit import visit_warnings


def warnings(report: Report) -> tuple[str, ...]:
    """Return what a reader has to know before the numbers, as sentences."""
    found = []
    if report.num_missing:
        found.append(f"{report.num_missing} runs that the suite asks for are not stored yet: this report is of a part.")
    if report.unfinished:
        kinds = [run.outcome.kind.replace("_", " ") for run in report.unfinished]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
        found.append(f"{len(kinds)} of {len(report.runs)} runs did not complete: {counts}.")
    found.extend(report.store_notes)
    found += target_warnings(report.targets)
    found += claim_warnings((*report.judgements, *report.pairs))
    found += older_warnings(report)
    if report.num_older:
        found.append(f"{report.num_older} stored runs of older code are not used.")
    found += disturbance_warnings(report)
    found += check_warnings(report)
    found += visit_warnings(report)
    found += clock_warnings(report)
    found += subnormal_warnings(report)
    found += rate_warnings(report)
    found += trivial_warnings(report)
    if report.code.dirty:
        found.append("The measured code had changes that are in no commit.")
    return tuple(found)


def disturbance_warnings(report: Report) -> tuple[str, ...]:
    """Return how many of the timed runs that count were disturbed, as a sentence; nothing where none was."""
    timed = [run for run in report.findings.runs if run.cell.measurement.timed]
    known = KnownVisits(timed)
    disturbed = [sentences[0] for run in timed if (sentences := known.disturbances(run))]
    if not disturbed:
        return ()
    return (f"{len(disturbed)} of {len(timed)} timed runs that count were disturbed. One of them: {disturbed[0]}",)
