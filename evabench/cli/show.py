"""`evabench show`: what the stored runs of a suite say, without running anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.cli.device import DeviceOption
from evabench.cli.stored import RESULTS, RunsOption, stored_report
from evabench.cli.tier import TierOption
from evabench.errors import ExitCode
from evabench.reporting.terminal import print_report


def show_results(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
) -> None:
    """Show the table of a suite from the runs of this host and this code."""
    console = Console()
    report = stored_report(console, suite, tier, results, runs, device)
    print_report(console, report)
    if report.num_missing or report.unfinished:
        raise typer.Exit(ExitCode.INCOMPLETE)
