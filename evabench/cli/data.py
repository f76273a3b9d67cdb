"""`evabench data`: where data sets are looked for, what is there, and how to get the rest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.table import Table
from rich.text import Text

from evabench.cli.output import JsonOption, Output, QuietOption
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
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show which data sets are here. A run never downloads anything by itself."""
    output = Output(as_json=as_json, quiet=quiet)
    one = get or name
    shown = list(CATALOGUE) if one is None else [_known(one)]
    if get is not None:
        known = _known(get)
        output.tell(f"{CATALOGUE[known].title} lies in {download(known)} now.")
    elif name is None:
        _show_all(output)
    _give(output, shown)
    if get is None and name is not None:
        _show_one(output, _known(name))


def _known(name: str) -> DataName:
    if name not in CATALOGUE:
        raise DataError(f'there is no data set "{name}". Known: {", ".join(CATALOGUE)}')
    return cast(DataName, name)


def _show_all(output: Output) -> None:
    output.tell(f"{PLACES}\n")
    table = Table(box=None, pad_edge=False)
    for heading in ("data set", "what it is", "where"):
        table.add_column(heading, overflow="fold")
    for name, known in CATALOGUE.items():
        table.add_row(name, known.title, Text(_where(name, find(name))))
    output.answer.print(table)
    output.tell("\n`evabench data NAME` lists the places and commands of one.")


def _where(name: DataName, place: Place | None) -> str:
    if place is not None:
        return f"{place.path} ({place.origin})"
    return "missing" if commands_for(name) else "comes with evabench"


def _show_one(output: Output, name: DataName) -> None:
    place = find(name)
    if place is None and commands_for(name):
        output.tell(how_to_get(name))
        raise typer.Exit(ExitCode.INCOMPLETE)
    output.tell(f"{CATALOGUE[name].title}: {_where(name, place)}")
    for one in places.places(name):
        mark = "has it" if one.has_it else "nothing"
        shown = one.path if one.path.is_absolute() else Path.cwd() / one.path
        output.tell(f"  {shown} ({one.origin}): {mark}")
    if commands_for(name):
        output.tell(ways_to_get(name))


def _give(output: Output, names: Sequence[DataName]) -> None:
    if not output.as_json:
        return
    from evabench.cli.answers import DataAnswer, DataSet

    found = {name: find(name) for name in names}
    output.give(
        "data",
        DataAnswer(
            data_sets=tuple(
                DataSet(
                    name=name,
                    title=CATALOGUE[name].title,
                    place=str(place.path) if place else None,
                    missing=place is None and bool(commands_for(name)),
                )
                for name, place in found.items()
            )
        ),
    )
