"""`evabench report`: a page and a Markdown file from the stored runs of a suite."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from evabench.claims.judgement import Judgement, Verdict
from evabench.claims.reading import read_claim_files
from evabench.cli.answers import WriteAnswer, WrittenReport
from evabench.cli.claim_files import ClaimsOption, with_claims_of
from evabench.cli.device import DeviceOption
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS, RunsOption, stored_reports
from evabench.cli.tier import TierOption
from evabench.cli.whole_files import written_whole
from evabench.errors import ExitCode, cannot_write
from evabench.reporting.answers import report_answer
from evabench.reporting.report import Report
from evabench.reporting.tables.headlines import headline
from evabench.reporting.tables.verdicts import answer


class Figures(StrEnum):
    """The kinds of picture that papers take."""

    PDF = "pdf"
    PNG = "png"
    SVG = "svg"


def write_report(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
    claims: ClaimsOption = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the report goes: DIR/<suite>/<tier>/.")] = Path(
        "reports"
    ),
    figures: Annotated[
        Figures | None, typer.Option(help="Write each picture of the page as a file, too, in figures/ beside it.")
    ] = None,
    fail_on_refuted: Annotated[
        bool, typer.Option("--fail-on-refuted", help="Exit with 1 if a claim is refuted, here or as stated.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 if a claim is inconclusive or not tested here.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write reports/SUITE/index.html and report.md from the runs of this host and this code."""
    told = Output(as_json=as_json, quiet=quiet)
    theirs = read_claim_files(claims or ())
    reports = with_claims_of(told, stored_reports(told, suite, tier, results, runs, device), theirs)
    written = []
    for report, folder in zip(reports, _folders(reports, output), strict=True):
        told.note("\n".join(report.store_notes))
        told.tell(report.label)
        if report.headline:
            told.tell(answer(report.headline))
        told.tell("\n".join(_verdict_lines(report)))
        files = tuple(map(str, _written(report, folder, figures)))
        told.tell("\n".join(files))
        written.append(WrittenReport(report=report_answer(report), files=files))
    told.give("report", WriteAnswer(reports=tuple(written), notes=tuple(told.noted)))
    code = worst_exit_code(reports, fail_on_refuted=fail_on_refuted, strict=strict)
    if code is not ExitCode.PASS:
        raise typer.Exit(code)


def _verdict_lines(report: Report) -> Iterator[str]:
    """Yield a line per claim, behind it what its verdict says first; what the answer has said is not said again."""
    said = set(report.headline.first) if report.headline else set()
    for judgement in report.judgements:
        yield f"{judgement.claim_id:<11}{' ' * (len(judgement.claim_id) > 10)}{headline(judgement)}"
        yield from (f"{'':<11}{sentence}" for sentence in judgement.first if sentence not in said)
        said.update(judgement.first)


def _folders(reports: Sequence[Report], output: Path) -> list[Path]:
    """Return the folder of a page; where there are several, one for each below it, by number and host."""
    if len(reports) == 1:
        return [folder_of(reports[0], output)]
    return [folder_of(one, output) / f"{number}-{one.host.id}" for number, one in enumerate(reports, start=1)]


def folder_of(report: Report, output: Path) -> Path:
    """Return the folder of a page: one a suite and tier, so that a smoke test overwrites no page of a night."""
    return output / report.suite.name / (report.suite.tier or "")


def _written(report: Report, folder: Path, figures: Figures | None) -> tuple[Path, ...]:
    try:
        return _write(report, folder, figures)
    except OSError as error:
        raise cannot_write(error.filename or folder, error, "choose another folder: --output DIR") from error


def _write(report: Report, folder: Path, figures: Figures | None) -> tuple[Path, ...]:
    # Here, not at the top: Matplotlib takes longer to import than `--help` may take.
    from evabench.reporting.formats import FORMATS
    from evabench.reporting.markdown import figure_files
    from evabench.reporting.sections import make_document

    document = make_document(report)
    for one in FORMATS:
        _write_texts(folder, {**one.files_beside(document), one.file: one.render(document)})
    drawn = figure_files(document, figures.value) if figures else {}
    for name, content in drawn.items():
        with written_whole(folder / name) as part:
            part.write_bytes(content)
    return (*(folder / one.file for one in FORMATS), *(folder / name for name in drawn))


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        with written_whole(folder / name) as part:
            part.write_text(text, encoding="utf-8")


def worst_exit_code(reports: Sequence[Report], *, fail_on_refuted: bool, strict: bool) -> ExitCode:
    """Return the exit code of all reports: a refuted claim before what is missing, that before an open verdict."""
    if not reports:
        return ExitCode.INCOMPLETE
    codes = {exit_code(report, fail_on_refuted=fail_on_refuted, strict=strict) for report in reports}
    order = (ExitCode.REGRESSION, ExitCode.INCOMPLETE, ExitCode.INCONCLUSIVE)
    return next((code for code in order if code in codes), ExitCode.PASS)


def exit_code(report: Report, *, fail_on_refuted: bool, strict: bool) -> ExitCode:
    """Return what the process exits with, after everything is written."""
    if fail_on_refuted and any(Verdict.REFUTED in _answers(judgement) for judgement in report.judgements):
        return ExitCode.REGRESSION
    if report.num_missing or report.unfinished:
        return ExitCode.INCOMPLETE
    undecided = {Verdict.INCONCLUSIVE, Verdict.NOT_TESTED}
    if strict and any(judgement.here in undecided for judgement in report.judgements):
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS


def _answers(judgement: Judgement) -> tuple[Verdict, Verdict]:
    return judgement.here, judgement.as_stated
