"""`evabench show`: what the stored runs of a suite say, without running anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.cli.device import DeviceOption
from evabench.cli.stored import RESULTS, RunsOption, print_plainly, stored_report
from evabench.cli.tier import TierOption
from evabench.errors import ExitCode
from evabench.reporting.report import Report
from evabench.reporting.terminal import print_report, rich_table

_PIPED_COLUMNS = 240


def show_results(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
    id: Annotated[
        str | None,
        typer.Option("--id", metavar="ADDRESS", help="Where a figure of the page comes from: its runs, and the steps."),
    ] = None,
) -> None:
    """Show the table of a suite from the runs of this host and this code."""
    console = Console()
    report = stored_report(console, suite, tier, results, runs, device)
    if id is not None:
        print_source(console, report, id)
        return
    print_report(console, report)
    if report.num_missing or report.unfinished:
        raise typer.Exit(ExitCode.INCOMPLETE)


def print_source(console: Console, report: Report, address: str) -> None:
    """Print the runs behind a figure of the page, and the steps from their lines to its numbers."""
    from evabench.reporting.origins import find_source  # here: it imports Matplotlib, which the other tables do not

    source = find_source(report, address)
    if not console.is_terminal:
        console.width = _PIPED_COLUMNS  # a key that is folded is found by no search
    print_plainly(console, f"{source.address}: {source.title}")
    print_plainly(console, source.how)
    for table in source.tables:
        print_plainly(console, f"\n{table.title}")
        console.print(rich_table(table))
    print_plainly(console, "\nA run is the line of the results file that has its key.")
