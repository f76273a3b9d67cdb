"""`evabench compare`: two sets of stored runs beside each other."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.stored import RESULTS
from evabench.errors import SuiteError, printable
from evabench.export.places import NotUsedWarning
from evabench.units import format_bytes, format_ratio, format_seconds

if TYPE_CHECKING:
    from evabench.export.compare import Line

_UNPAIRED = (
    "Unpaired: the two sides were not measured side by side, so what the machine did at either time is in the ratio. "
    "It describes; it decides nothing."
)


class Sides(StrEnum):
    """What A and B are."""

    PLACE = "place"
    HOST = "host"
    COMMIT = "commit"
    ARM = "arm"


def compare_runs(
    base: Annotated[str, typer.Argument(metavar="A", help="The base: a file or folder of runs, or see --by.")],
    head: Annotated[str, typer.Argument(metavar="B", help="What is compared with it.")],
    by: Annotated[
        Sides, typer.Option("--by", help="What A and B are: places, ids of hosts, commits, or arms.")
    ] = Sides.PLACE,
    within: Annotated[
        list[Path] | None,
        typer.Option("--runs", metavar="PATH", help="Where the runs of two hosts, commits, arms lie."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare two sets of stored runs: two places, hosts, commits or arms."""
    from evabench.export.compare import compare  # here: pandas takes longer to import than `--help` may take

    if by is Sides.PLACE and within:
        raise SuiteError("--runs is where two hosts, commits or arms lie: give it with --by host, commit or arm")
    output = Output(as_json=as_json, quiet=quiet)
    with output.noting(NotUsedWarning):
        found = compare(base, head, by=by.value, within=within or [RESULTS])
    for sentence in found.differences:
        output.tell(f"A / B differ in {sentence}")
    for workload in dict.fromkeys(line.workload for line in found.lines):
        output.answer.print(_table(workload, [line for line in found.lines if line.workload == workload]))
        output.answer.print()
    for side, only in (("A", found.only_base), ("B", found.only_head)):
        if only:
            output.tell(f"Only {side} has: {'; '.join(only)}.")
    if any(line.metric == "step" and not line.paired for line in found.lines):
        output.note(_UNPAIRED)
    output.give("compare", found)


def _table(workload: str, lines: "list[Line]") -> Table:
    table = Table(box=None, pad_edge=False, title=_plain(workload), title_justify="left", title_style="bold")
    named = any(line.arm for line in lines)
    for heading in (*(["arm"] if named else []), "number", "A", "B", r"B / A \[95 %]", "runs"):
        table.add_column(heading, overflow="fold", justify="left" if heading in ("arm", "number") else "right")
    told = ""
    for line in lines:
        runs = f"{line.num_base} pairs" if line.paired else f"{line.num_base} / {line.num_head}"
        arm = [_plain(line.arm) if line.arm != told else ""] if named else []
        told = line.arm
        values = [_value(line.base, line.unit), _value(line.head, line.unit)]
        table.add_row(*arm, line.metric.replace("_", " "), *values, _ratio(line), runs)
    return table


def _plain(text: str) -> str:
    return escape(printable(text))


def _value(value: float, unit: str) -> str:
    match unit:
        case "s":
            return format_seconds(value)
        case "B":
            return format_bytes(round(value))
        case _:
            return f"{value:.4g}"


def _ratio(line: "Line") -> str:
    if line.ratio != line.ratio:
        return "no ratio: not positive"
    if line.interval is None:
        return f"{line.ratio:.3g}x"
    return format_ratio(line.ratio, line.interval.low, line.interval.high).replace("[", r"\[")
