"""The command line: verbs as subcommands. The only place that catches an error, prints it and exits."""

import sys
from typing import Annotated

import typer
from rich.console import Console

import evabench
from evabench.cli.data import show_data
from evabench.cli.doctor import examine
from evabench.cli.list import list_suites
from evabench.cli.profile import profile_arm
from evabench.cli.report import write_report
from evabench.cli.run import run_suite
from evabench.cli.show import show_results
from evabench.errors import EvabenchError, printable

app = typer.Typer(
    name="evabench",
    help="Does this optimizer really make training faster, and what does it cost?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run_suite)
app.command("list")(list_suites)
app.command("show")(show_results)
app.command("data")(show_data)
app.command("doctor")(examine)
app.command("report")(write_report)
app.command("profile")(profile_arm)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"evabench {evabench.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Measure what an optimizer really does for training, and what it costs."""


def main() -> None:
    """Run the command line; a user's mistake is one message, never a traceback."""
    try:
        app()
    except EvabenchError as error:
        console = Console(stderr=True, highlight=False)
        for line in printable(str(error)).splitlines():
            console.print(f"evabench: error: {line}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
