"""`evabench list`: the suites that ship with evabench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.errors import EvabenchError
from evabench.suite.shipped import ShippedSuite, list_shipped

if TYPE_CHECKING:
    from evabench.runner.cost import Cost

_MAX_NAMES = 6  # of arms, data sets and claims each

Costs = dict[str, dict[str, "Cost"]]  # by suite and tier


def list_suites(
    cost: Annotated[
        bool, typer.Option("--cost", help="How long each still takes on this host, by the runs that are stored here.")
    ] = False,
    probe_seconds: Annotated[
        float,
        typer.Option(
            min=0, metavar="S", help="With --cost: probes of each size of a suite, where no stored run tells."
        ),
    ] = 0.0,
    results: Annotated[Path, typer.Option(metavar="DIR", help="With --cost: where runs are stored.")] = Path("results"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List the suites that ship with evabench; `evabench run NAME` runs one."""
    if probe_seconds and not cost:
        raise EvabenchError("--probe-seconds is for the minutes of --cost: give both")
    output = Output(as_json=as_json, quiet=quiet)
    suites, costs = list_shipped(), _costs(results, probe_seconds) if cost else {}
    output.answer.print(_table(suites, costs))
    if cost:
        output.note(
            "By stored runs of this host, one run after the other; --probe-seconds S tries what they do not tell."
        )
    _give(output, suites, costs)


def _table(suites: tuple[ShippedSuite, ...], costs: Costs) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("suite", "what it is", "here" if costs else "tiers", "data", "claims", "arms"):
        table.add_column(heading, overflow="fold")
    for suite in suites:
        size = _words(costs[suite.name]) if costs else ", ".join(suite.tiers)
        names = (_some(suite.data), _some(suite.claims), _some(suite.arms))
        table.add_row(suite.name, suite.title, size, *names)
    return table


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _MAX_NAMES
    return "; ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _costs(results: Path, probe_seconds: float) -> Costs:
    # Here, not at the top: building a suite takes every settings class, which a plain list needs not.
    from evabench.machine.host import read_host
    from evabench.runner.cost import StoredCosts
    from evabench.suite.reading import read_suite

    stored, found = StoredCosts.read(results, read_host(), probe_seconds), Costs()
    for suite in map(read_suite, (one.name for one in list_shipped())):
        found[suite.name] = {}
        for size in [suite.at(tier) for tier in suite.tiers] or [suite]:
            found[suite.name][size.tier or ""] = stored.of(size)
    return found


def _words(costs: "dict[str, Cost]") -> str:
    from evabench.reporting.tables.estimate import cost_words

    told = ((tier, cost_words(one.seconds, one.num_unknown, one.num_runs)) for tier, one in costs.items())
    return "; ".join(f"{tier}: {words}" if tier else words for tier, words in told)


def _give(output: Output, suites: tuple[ShippedSuite, ...], costs: Costs) -> None:
    if not output.as_json:
        return
    from evabench.cli.answers import ListAnswer, ListedSuite

    listed = (
        ListedSuite(
            name=one.name,
            title=one.title,
            tiers=one.tiers,
            data=one.data,
            claims=one.claims,
            arms=one.arms,
            costs=costs.get(one.name),
        )
        for one in suites
    )
    output.give("list", ListAnswer(suites=tuple(listed)))
