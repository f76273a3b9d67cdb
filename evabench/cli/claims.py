"""`evabench claims`: what was claimed of optimizers, the verdicts of stored runs, and what would decide the rest."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from evabench.claims.deciding import sizes
from evabench.claims.reading import read_claim_files, shipped_files
from evabench.cli.answers import ClaimsAnswer, JudgedRuns
from evabench.cli.claim_files import ClaimsOption, with_claims_of
from evabench.cli.device import DeviceOption
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.report import worst_exit_code
from evabench.cli.stored import RESULTS, RunsOption, reports_of_places, stored_reports
from evabench.cli.tier import TierOption
from evabench.errors import ExitCode
from evabench.machine.host import read_host
from evabench.reporting.ledger import Group, entry_lines, judged, ledger
from evabench.runner.cost import Cost, StoredCosts
from evabench.suite.reading import read_suite
from evabench.suite.shipped import shipped_suites
from evabench.suite.suite import Suite


def judge_stored(
    suite: Annotated[
        str | None, typer.Argument(help="A suite: its claims, and those of papers about its optimizers.")
    ] = None,
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    runs: RunsOption = None,
    claims: ClaimsOption = None,
    fail_on_refuted: Annotated[
        bool, typer.Option("--fail-on-refuted", help="Exit with 1 if a claim is refuted, here or as stated.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 if a claim is inconclusive or not tested here.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Judge claims by stored runs: verdict, effect, interval, what differs, and what would decide the rest."""
    output = Output(as_json=as_json, quiet=quiet)
    theirs, every_size, cost_of = read_claim_files(claims or ()), _every_size(), _costs(results)
    if suite is None and not runs:
        groups = ledger(theirs or shipped_files(), every_size, cost_of)
        _print(output, "", groups)
        output.give("claims", ClaimsAnswer(sets=(JudgedRuns(runs=None, groups=groups),), notes=()))
        return
    found = stored_reports(output, suite, tier, results, runs, device) if suite else reports_of_places(runs or ())
    reports, sets = with_claims_of(output, found, theirs), []
    for report in reports:
        groups = judged(report.judgements, report.suite, (*shipped_files(), *theirs), every_size, cost_of)
        title = report.label or f"{report.suite.name}: host {report.host.id} ({report.host.cpu})"
        _print(output, title, groups)
        sets.append(JudgedRuns(runs=title, groups=groups))
    output.give("claims", ClaimsAnswer(sets=tuple(sets), notes=tuple(output.noted)))
    code = worst_exit_code(reports, fail_on_refuted=fail_on_refuted, strict=strict)
    if code is not ExitCode.PASS:
        raise typer.Exit(code)


@cache
def _every_size() -> tuple[Suite, ...]:
    return sizes(read_suite(name) for name in shipped_suites())


def _print(output: Output, title: str, groups: Sequence[Group]) -> None:
    if title:
        output.answer.print(Text(title, style="bold"), soft_wrap=True)
    for group in groups:
        output.answer.print(Text(f"\n{group.title}", style="bold"), soft_wrap=True)
        for entry in group.entries:
            first, *others = entry_lines(entry)
            output.tell(f"  {first}")
            for line in others:
                output.tell(f"    {line}")


def _costs(results: Path) -> Callable[[Suite], Cost]:
    """Return a function that says what a size of a suite still takes on this host; each size is planned once."""
    stored: list[StoredCosts] = []
    known: dict[tuple[str, str | None, str], Cost] = {}

    def cost_of(size: Suite) -> Cost:
        if not stored:
            stored.append(StoredCosts.read(results, read_host()))
        if (key := (size.name, size.tier, repr(size.measurements))) not in known:
            known[key] = stored[0].of(size)
        return known[key]

    return cost_of
