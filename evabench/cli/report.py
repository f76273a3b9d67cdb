"""`evabench report`: a page and a Markdown file from the stored runs of a suite."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.claims.judgement import Judgement, Verdict
from evabench.cli.device import DeviceOption
from evabench.cli.stored import RESULTS, RunsOption, print_plainly, stored_report
from evabench.cli.tier import TierOption
from evabench.cli.whole_files import written_whole
from evabench.errors import ExitCode, cannot_write
from evabench.reporting.report import Report
from evabench.reporting.tables.verdicts import answer, headline


def write_report(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the report goes: DIR/<suite>/<tier>/.")] = Path(
        "reports"
    ),
    fail_on_refuted: Annotated[
        bool, typer.Option("--fail-on-refuted", help="Exit with 1 if a claim is refuted, here or as stated.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 if a claim is inconclusive or not tested here.")
    ] = False,
) -> None:
    """Write reports/SUITE/index.html and report.md from the runs of this host and this code."""
    console = Console()
    report = stored_report(console, suite, tier, results, runs, device)
    print_plainly(console, "\n".join(report.store_notes))
    if report.headline:
        print_plainly(console, answer(report.headline))
    for judgement in report.judgements:
        console.print(f"{judgement.claim_id:<11}{headline(judgement)}", markup=False, highlight=False)
    for path in _written(report, folder_of(report, output)):
        console.print(str(path), markup=False, soft_wrap=True, highlight=False)
    code = exit_code(report, fail_on_refuted=fail_on_refuted, strict=strict)
    if code is not ExitCode.PASS:
        raise typer.Exit(code)


def folder_of(report: Report, output: Path) -> Path:
    """Return the folder of a page: one a suite and tier, so that a smoke test overwrites no page of a night."""
    return output / report.suite.name / (report.suite.tier or "")


def _written(report: Report, folder: Path) -> tuple[Path, ...]:
    try:
        return _write(report, folder)
    except OSError as error:
        raise cannot_write(error.filename or folder, error, "choose another folder: --output DIR") from error


def _write(report: Report, folder: Path) -> tuple[Path, ...]:
    # Here, not at the top: Matplotlib takes longer to import than `--help` may take.
    from evabench.reporting.formats import FORMATS
    from evabench.reporting.sections import make_document

    document = make_document(report)
    for one in FORMATS:
        for name, text in {**one.files_beside(document), one.file: one.render(document)}.items():
            with written_whole(folder / name) as part:
                part.write_text(text, encoding="utf-8")
    return tuple(folder / one.file for one in FORMATS)


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
