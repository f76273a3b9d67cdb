"""`evabench show`: what the stored runs of a suite say, without running anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from evabench.claims.reading import read_claim_files
from evabench.cli.answers import ShowAnswer, SourceAnswer, TableAnswer
from evabench.cli.claim_files import ClaimsOption, with_claims_of
from evabench.cli.device import DeviceOption
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS, RunsOption, stored_reports
from evabench.cli.tier import TierOption
from evabench.errors import EvabenchError, ExitCode
from evabench.reporting.answers import report_answer
from evabench.reporting.report import Report
from evabench.reporting.terminal import print_report, rich_table

if TYPE_CHECKING:
    from evabench.reporting.origins import Source


def show_results(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
    claims: ClaimsOption = None,
    id: Annotated[
        str | None,
        typer.Option("--id", metavar="ADDRESS", help="Where a number of the page comes from: its runs, and the steps."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show the table of a suite from the runs of this host and this code."""
    output = Output(as_json=as_json, quiet=quiet)
    theirs = read_claim_files(claims or ())
    reports = with_claims_of(output, stored_reports(output, suite, tier, results, runs, device), theirs)
    sources = () if id is None else _print_sources(output, reports, id)
    for report in reports if id is None else ():
        _print_label(output, report)
        print_report(output.answer, report)
    answer = ShowAnswer(reports=tuple(map(report_answer, reports)), sources=sources, notes=tuple(output.noted))
    output.give("show", answer)
    if not reports or (id is None and any(report.num_missing or report.unfinished for report in reports)):
        raise typer.Exit(ExitCode.INCOMPLETE)


def _print_sources(output: Output, reports: Sequence[Report], address: str) -> tuple[SourceAnswer, ...]:
    """Print the runs behind a number of each page that has it, and the steps from their lines to it; return the same.

    Raises `EvabenchError` where none has it.
    """
    from evabench.reporting.origins import find_source  # here: it imports Matplotlib, which the other tables do not

    answers, unknown = list[SourceAnswer](), list[EvabenchError]()
    for report in reports:
        try:
            source = find_source(report, address)
        except EvabenchError as error:
            unknown.append(error)
            continue
        _print_label(output, report)
        answers.append(_print_source(output, source))
    if unknown and not answers:
        raise unknown[0]
    return tuple(answers)


def _print_label(output: Output, report: Report) -> None:
    if report.label:
        output.answer.print(Text(report.label, style="bold"), soft_wrap=True)


def _print_source(output: Output, source: "Source") -> SourceAnswer:
    output.tell(f"{source.address}: {source.title}")
    output.tell(source.how)
    for table in source.tables:
        output.tell(f"\n{table.title}")
        output.answer.print(rich_table(table))
    output.tell("\nA run is the line of the results file that has its key.")
    return SourceAnswer(
        address=source.address,
        title=source.title,
        how=source.how,
        keys=tuple(run.key for run in source.runs),
        tables=tuple(TableAnswer(title=one.title, headings=one.headings, rows=one.rows) for one in source.tables),
    )
