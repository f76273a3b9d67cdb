"""A typer app of two empty verbs: what the command line costs before evabench does anything."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def first() -> None:
    """Do nothing."""


@app.command()
def second() -> None:
    """Do nothing either."""


if __name__ == "__main__":
    app()
