"""The end of a run in the terminal: what each arm costs here, how far it came, and what the claims come to."""

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from evabench.claims.claim import Judgement, Verdict
from evabench.reporting.convergence_tables import convergence_table
from evabench.reporting.cost_tables import cost_table
from evabench.reporting.mechanism_tables import METHODS, SIDES, directions_table, shares_table
from evabench.reporting.origin_tables import unfinished_table
from evabench.reporting.rate_tables import rate_table
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.table import Table
from evabench.reporting.verdicts import decided_by, headline, measured

_MECHANISM: tuple[Callable[[WorkloadReport], Table | None], ...] = (
    *(partial(shares_table, side=side) for side in SIDES),
    *(partial(directions_table, method=method) for method in METHODS),
    rate_table,
)
_COLOURS = {Verdict.SUPPORTED: "green", Verdict.REFUTED: "red", Verdict.INCONCLUSIVE: "yellow"}


def print_report(console: Console, report: Report) -> None:
    """Print the tables of each workload that matter most, what did not complete, and the verdicts."""
    for workload in report.workloads:
        console.print(Text(f"\n{workload.name}: {workload.settings.shape}", style="bold"))
        trained = (workload, *workload.other_budgets)
        others = (make(workload) for make in _MECHANISM)
        for table in (cost_table(workload), *map(convergence_table, trained), *others):
            if table is not None:
                if len(trained) > 1:
                    console.print(table.title)
                console.print(rich_table(table))
    unfinished = unfinished_table(report)
    if unfinished is not None:
        console.print(rich_table(unfinished))
    console.print(Text("\nClaims of the paper", style="bold"))
    for judgement in report.judgements:
        _print_verdict(console, judgement)


def rich_table(table: Table) -> RichTable:
    """Return a table as the terminal shows it; nothing in it is markup."""
    rich = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, heading in enumerate(table.headings):
        is_text = position == 0 or heading in table.text
        rich.add_column(Text(heading), justify="left" if is_text else "right", overflow="fold")
    for row in table.rows:
        rich.add_row(*(Text(cell) for cell in row))
    return rich


def _print_verdict(console: Console, judgement: Judgement) -> None:
    line = Text(f"{judgement.claim_id:<11}")
    line.append(headline(judgement), style=_COLOURS.get(judgement.here, "dim"))
    console.print(line)
    for sentence in (judgement.claim.text, measured(judgement), judgement.reason, decided_by(judgement)):
        if sentence:
            console.print(Padding(Text(sentence), (0, 0, 0, 11)))
