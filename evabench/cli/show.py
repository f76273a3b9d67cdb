"""`evabench show`: what the stored runs of a suite say, without running anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evabench.cli.run import store_of
from evabench.cli.tier import TierOption
from evabench.errors import ExitCode
from evabench.reporting.report import make_report
from evabench.reporting.terminal import print_report
from evabench.runner.host import read_host
from evabench.runner.plan import make_plan
from evabench.suite import load_suite


def show_results(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    tier: TierOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("results"),
) -> None:
    """Show the table of a suite from the runs of this host and this code."""
    console, loaded, host = Console(), load_suite(suite, tier), read_host()
    plan = make_plan(loaded, store_of(results, loaded, host.id).load(), host, repeat=False)
    if not plan.stored:
        message = f"Nothing is stored for {loaded.name} on this host with this code. Run it: evabench run {suite}"
        console.print(message, markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.INCOMPLETE)
    print_report(console, make_report(loaded, plan.stored, num_missing=plan.num_runs, targets=plan.targets))
