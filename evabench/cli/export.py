"""`evabench export`: stored runs as a file of another program."""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS, RunsOption
from evabench.cli.whole_files import written_whole
from evabench.errors import EvabenchError, StoreError, cannot_write
from evabench.export.places import NotUsedWarning, run_files, with_faults

if TYPE_CHECKING:
    import pandas as pd


class Format(StrEnum):
    """What a file is for."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    LATEX = "latex"
    TENSORBOARD = "tensorboard"


class What(StrEnum):
    """Which table."""

    RUNS = "runs"
    RATIOS = "ratios"
    CURVES = "curves"


def export_runs(
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="Suites that have results, or files and folders of runs, of any host and code."),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="The kind of file.")] = Format.CSV,
    what: Annotated[
        What, typer.Option("--what", help="One row per number of a run, or ratios to an arm, or median curves.")
    ] = What.RUNS,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of ratios, curves: step, peak, final_loss ... (docs/results.md)"),
    ] = None,
    to: Annotated[str, typer.Option(metavar="ARM", help="Of ratios: the arm in the denominator.")] = "SGD",
    raw: Annotated[bool, typer.Option("--raw", help="Of runs: every timed step and training loss too.")] = False,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where the results of suites are.")] = RESULTS,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to write; without it, PLACE with the format's ending.")
    ] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write stored runs as CSV, Parquet, JSON, LaTeX or TensorBoard files."""
    from evabench.export.frames import load  # here: pandas takes longer to import than `--help` may take

    asked = [*(places or ()), *(runs or ())]
    if not asked:
        raise StoreError("which runs? Name a suite that has results, or give --runs PATH: a file, or a folder of files")
    _check(format, what, metric)
    read = [_place(place, results) for place in asked]
    written = Output(as_json=as_json, quiet=quiet)
    with written.noting(NotUsedWarning):
        frame = load(*read, raw=raw or format is Format.TENSORBOARD)
    table = frame if format is Format.TENSORBOARD else _table(frame, what, metric, to)
    path = output or Path(f"{asked[0].stem or 'runs'}{_ending(format)}")
    try:
        number = _write(table, format, path, read)
    except OSError as error:
        raise cannot_write(path, error, "choose another: --output FILE") from error
    trainings = format is Format.TENSORBOARD
    look = f" training runs. Look at them: tensorboard --logdir {path}" if trainings else " rows"
    written.tell(f"{path}: {number:,}{look}")
    _give(written, path, number, trainings=trainings)


def _check(format: Format, what: What, metric: str | None) -> None:
    """Raise `EvabenchError` where an option would say nothing."""
    if format is Format.TENSORBOARD and what is not What.RUNS:
        raise EvabenchError(f"TensorBoard takes training runs, not {what.value}: leave out --what, or --format csv")
    if metric is not None and what is What.RUNS:
        raise EvabenchError("--metric is of ratios and curves: give it with --what ratios or --what curves")


def _place(place: Path, results: Path) -> Path:
    """Return a file or folder as it is, and the folder of a suite's results for its name."""
    return place if os.path.exists(place) or not os.path.isdir(results / place) else results / place


def _table(frame: "pd.DataFrame", what: What, metric: str | None, to: str) -> "pd.DataFrame":
    from evabench.export.frames import curves, ratios

    try:
        if what is What.RATIOS:
            return ratios(frame, metric or "step", to=to)
        return curves(frame, metric or "validation_loss") if what is What.CURVES else frame
    except ValueError as error:
        raise EvabenchError(str(error)) from error


def _ending(format: Format) -> str:
    from evabench.export.formats import SUFFIXES

    return SUFFIXES.get(format, "-tensorboard")


def _write(table: "pd.DataFrame", format: Format, path: Path, places: Sequence[Path]) -> int:
    """Return how many rows were written, or training runs."""
    from evabench.export.formats import FORMATS

    if table.empty:
        message = f"{path}: there is nothing to write: no run has what was asked for"
        raise StoreError(with_faults(message, run_files(places)))
    if format is Format.TENSORBOARD:
        from evabench.export.tensorboard import write_tensorboard

        return write_tensorboard(table, path)
    with written_whole(path) as part:
        FORMATS[format](table, part)
    return len(table)


def _give(written: Output, path: Path, number: int, *, trainings: bool) -> None:
    if written.as_json:
        from evabench.cli.answers import ExportAnswer

        rows, runs = (None, number) if trainings else (number, None)
        written.give("export", ExportAnswer(path=str(path), num_rows=rows, num_trainings=runs))
