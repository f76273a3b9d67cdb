"""The option that adds claims of anyone: files of the form of those that ship, judged by the same runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evabench.claims.reading import ClaimFile, about
from evabench.cli.output import Output
from evabench.reporting.report import Report, with_claims

ClaimsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--claims",
        metavar="FILE",
        help="Judge the claims of this file too (docs/claims.md); may be given several times.",
    ),
]


def with_claims_of(output: Output, reports: Sequence[Report], files: Sequence[ClaimFile]) -> tuple[Report, ...]:
    """Return the reports with the claims of some files judged too; a claim about other optimizers is told."""
    return tuple(_with_claims(output, report, files) for report in reports)


def _with_claims(output: Output, report: Report, files: Sequence[ClaimFile]) -> Report:
    claims = tuple(claim for file in files for claim in file.claims)
    asked = about(report.suite, claims)
    if left := [claim.id for claim in claims if claim not in asked]:
        output.note(f"{report.suite.name} has no two optimizers that these compare: {', '.join(left)}.")
    return with_claims(report, asked)
