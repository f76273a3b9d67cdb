"""The command line: verbs as subcommands. The only place that catches an error, prints it and exits."""

import sys
from typing import Annotated

import typer

import evabench
from evabench.cli.streams import open_streams
from evabench.cli.verbs import VERBS, VerbGroup
from evabench.errors import EvabenchError, ExitCode, OutputError, printable

app = typer.Typer(
    name="evabench",
    cls=VerbGroup,
    help="Does this optimizer really make training faster, and what does it cost?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _not_loaded() -> None:
    """Stand in for a verb until it is called: its module takes longer to import than `--help` may take."""


for _name, _verb in VERBS.items():
    app.command(_name, help=_verb.help)(_not_loaded)


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
    open_streams()
    try:
        code = _run()
        sys.stdout.flush()
    except OutputError as error:
        code = _tell(error)
    sys.exit(code)


def _run() -> int | str | None:
    """Return the exit code. Typer's own for a crash is that of a regression, so it gets none to see."""
    try:
        app()
    except SystemExit as ended:
        return ended.code
    except EvabenchError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return 130
    except Exception:
        import traceback

        traceback.print_exc()
        sys.stderr.write("evabench: this is a fault of evabench itself. Please report it with the lines above.\n")
        return ExitCode.FAULT
    return ExitCode.PASS


def _tell(error: EvabenchError) -> int:
    from rich.console import Console  # here: no verb has needed it where a name is misspelt

    console = Console(stderr=True, highlight=False)
    for line in printable(str(error)).splitlines():
        console.print(f"evabench: error: {line}", markup=False, soft_wrap=True)
    return error.exit_code
