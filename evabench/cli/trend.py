"""`evabench trend`: where the step times of one host have shifted over the history of the code. It fails nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS
from evabench.cli.whole_files import written_whole
from evabench.errors import EvabenchError, ExitCode, StoreError, cannot_write
from evabench.export.file_names import file_name
from evabench.machine.host import read_host

if TYPE_CHECKING:
    from evabench.findings.history import Series


def show_trend(
    places: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders of stored runs. [default: results]")
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ID", help="Whose runs: hosts are never pooled. [default: this one]")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the charts go.")] = Path("reports/trend"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show where step times of this host have shifted over the history of the code, and draw it."""
    told = Output(as_json=as_json, quiet=quiet)
    series = _histories(told, places or [RESULTS], host or read_host().id)
    for one in series:
        _tell(told, one)
    charts = tuple(map(str, _charts(series, output)))
    told.tell("\n".join(charts))
    _give(told, series, charts)
    if not series:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _histories(told: Output, places: Sequence[Path], host: str) -> "tuple[Series, ...]":
    from evabench.export.places import NotUsedWarning, run_files, stored_runs
    from evabench.findings.history import step_histories  # here: scipy takes longer to import than `--help` may take

    with told.noting(NotUsedWarning):
        runs = [run for file in run_files(places) for run in stored_runs(file)]
    known = sorted({run.host.id for run in runs})
    mine = [run for run in runs if run.host.id == host]
    if not mine:
        raise StoreError(
            f"no run of the host {host} is there. There are: {', '.join(known) or 'none'}. --host names one"
        )
    try:
        series = step_histories(mine)
    except ModuleNotFoundError as error:
        if error.name != "ruptures":
            raise
        raise EvabenchError("change points are found by ruptures: pip install 'evabench[gate]'") from None
    if not series:
        told.note(f"The host {host} has stored no step times: evabench run SUITE makes them.")
    return series


def _tell(told: Output, series: "Series") -> None:
    from evabench.findings.history import MIN_POINTS

    num_points = len(series.points)
    if not series.is_long_enough:
        told.tell(f"{series.title}: {num_points} codes were measured; a shift needs {MIN_POINTS}.")
        return
    if not series.shifts:
        told.tell(f"{series.title}: no change point in {num_points} codes.")
    for shift in series.shifts:
        words = " SGD has shifted there too: look at the machine first." if shift.of_sgd_too else ""
        word = "slower" if shift.shift > 0 else "faster"
        told.tell(
            f"ALERT {series.title}: {abs(shift.shift):.0%} {word} from {shift.code} on (measured {shift.started}; the "
            f"code before: {shift.before}).{words}",
        )


def _charts(series: "Sequence[Series]", output: Path) -> list[Path]:
    from evabench.reporting.pictures.history import history_picture

    paths = []
    for workload in dict.fromkeys(one.workload for one in series):
        picture = history_picture([one for one in series if one.workload == workload], workload)
        for theme, svg in picture.svg.items():
            path = output / f"{file_name(workload)}-{theme}.svg"
            try:
                with written_whole(path) as part:
                    part.write_text(svg, encoding="utf-8")
            except OSError as error:
                raise cannot_write(path, error, "choose another folder: --output DIR") from error
            paths.append(path)
    return paths


def _give(told: Output, series: "tuple[Series, ...]", charts: tuple[str, ...]) -> None:
    if told.as_json:
        from evabench.cli.answers import TrendAnswer

        told.give("trend", TrendAnswer(series=series, charts=charts))
