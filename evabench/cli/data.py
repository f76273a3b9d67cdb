"""`evabench data`: where data sets are looked for, what is there, and how to get the rest."""

from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evabench.datasets import places
from evabench.datasets.catalogue import CATALOGUE
from evabench.datasets.download import download
from evabench.datasets.places import PLACES, Place, commands_for, find, how_to_get, ways_to_get
from evabench.errors import DataError, ExitCode
from evabench.settings.datasets import DataName


def show_data(
    name: Annotated[
        str | None, typer.Argument(help="One data set: every place, and every command that gets it.")
    ] = None,
    get: Annotated[str | None, typer.Option("--get", metavar="NAME", help="Download a data set.")] = None,
) -> None:
    """Show which data sets are here. A run never downloads anything by itself."""
    console = Console()
    if get is not None:
        known = _known(get)
        console.print(f"{CATALOGUE[known].title} lies in {download(known)} now.", markup=False, soft_wrap=True)
    elif name is not None:
        _show_one(console, _known(name))
    else:
        _show_all(console)


def _known(name: str) -> DataName:
    if name not in CATALOGUE:
        raise DataError(f'there is no data set "{name}". Known: {", ".join(CATALOGUE)}')
    return cast(DataName, name)


def _show_all(console: Console) -> None:
    console.print(PLACES, markup=False, highlight=False)
    console.print()
    table = Table(box=None, pad_edge=False)
    for heading in ("data set", "what it is", "where"):
        table.add_column(heading, overflow="fold")
    for name, known in CATALOGUE.items():
        table.add_row(name, known.title, Text(_where(name, find(name))))
    console.print(table)
    console.print("\n`evabench data NAME` lists the places and commands of one.", markup=False, highlight=False)


def _where(name: DataName, place: Place | None) -> str:
    if place is not None:
        return f"{place.path} ({place.origin})"
    return "missing" if commands_for(name) else "comes with evabench"


def _show_one(console: Console, name: DataName) -> None:
    place = find(name)
    if place is None and commands_for(name):
        console.print(how_to_get(name), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(ExitCode.INCOMPLETE)
    console.print(f"{CATALOGUE[name].title}: {_where(name, place)}", markup=False, highlight=False, soft_wrap=True)
    for one in places.places(name):
        mark = "has it" if one.has_it else "nothing"
        shown = one.path if one.path.is_absolute() else Path.cwd() / one.path
        console.print(f"  {shown} ({one.origin}): {mark}", markup=False, highlight=False, soft_wrap=True)
    if commands_for(name):
        console.print(ways_to_get(name), markup=False, highlight=False, soft_wrap=True)
