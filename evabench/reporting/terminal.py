"""The end of a run in the terminal: what each arm costs here, how far it came, and what the claims come to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from evabench.claims.judgement import Judgement, Verdict
from evabench.errors import printable
from evabench.findings.tuning import TunedArm
from evabench.reporting.commands import claims_command
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.convergence import convergence_table
from evabench.reporting.tables.cost import cost_table
from evabench.reporting.tables.counts import counts_table
from evabench.reporting.tables.headlines import headline
from evabench.reporting.tables.mechanism import METHODS, SIDES, directions_table, shares_table
from evabench.reporting.tables.origin import unfinished_table
from evabench.reporting.tables.pairs import pair_lines
from evabench.reporting.tables.rate import rate_table
from evabench.reporting.tables.table import Table, counted
from evabench.reporting.tables.tuning import chosen_lines, tuning_sentences, tuning_table
from evabench.reporting.tables.verdicts import answer, audit_counts, decided_by, measured
from evabench.reporting.warnings import warnings
from evabench.settings.optimizers import OptimizerSettings

_SEEDED: tuple[Callable[[WorkloadReport], Table | None], ...] = (
    *(partial(shares_table, side=side) for side in SIDES),
    *(partial(directions_table, method=method) for method in METHODS),
    rate_table,
    counts_table,
)
_COLOURS = {Verdict.SUPPORTED: "green", Verdict.REFUTED: "red", Verdict.INCONCLUSIVE: "yellow"}


def print_report(console: Console, report: Report) -> None:
    """Print the tables of each workload that matter most, what did not complete, and the verdicts."""
    for warning in warnings(report):
        console.print(Text(warning))
    for workload in report.workloads:
        console.print(Text(f"\n{workload.name}: {workload.settings.shape}", style="bold"))
        trained = (workload, *workload.other_budgets)
        _print_tables(console, [cost_table(workload)], titled=len(trained) > 1)
        for one in trained:
            _print_tables(console, [convergence_table(one)], titled=len(trained) > 1)
            if one.target is not None and one.budget is not None:
                console.print(Text(one.target.words, style="dim"))
        _print_tables(console, [make(workload) for make in _SEEDED], titled=len(trained) > 1)
    unfinished = unfinished_table(report)
    if unfinished is not None:
        console.print(rich_table(unfinished))
    _print_verdicts(console, report)


def print_so_far(console: Console, report: Report) -> bool:
    """Print the first table of a run that goes on, and return whether there is one."""
    made = [
        (workload, table)
        for workload in report.workloads
        for table in (cost_table(workload), convergence_table(workload))
        if table is not None
    ]
    if made:
        console.print(
            Text(f"\nSo far, with {report.num_missing} runs to come; the answer stands at the end.", style="bold")
        )
    for workload, table in made:
        console.print(Text(f"{workload.name}: {table.title}"))
        console.print(rich_table(table))
    return bool(made)


def _print_verdicts(console: Console, report: Report) -> None:
    """Print the answer to the suite's question first, then one verdict per claim with its reason."""
    if report.headline:
        console.print(Text(f"\n{answer(report.headline)}", style="bold"))
    own = [judgement for judgement in report.judgements if judgement.claim.local]
    elsewhere = [judgement for judgement in report.judgements if not judgement.claim.local]
    asked = [one.as_stated if own else one.here for one in elsewhere]  # beside claims of its own only what is as stated
    tested = [one for one, verdict in zip(elsewhere, asked, strict=True) if verdict is not Verdict.NOT_TESTED]
    for title, judgements in (("Claims of this suite", own), ("Claims made elsewhere", tested)):
        if judgements:
            console.print(Text(f"\n{title}", style="bold"))
        for judgement in judgements:
            _print_verdict(console, judgement)
    if num_untested := len(elsewhere) - len(tested):
        verb, stated = "is" if num_untested == 1 else "are", "as stated " if own else ""
        what = f"{counted(num_untested, 'claim')} of others {verb} not tested {stated}here"
        console.print(Text(f"\n{what}: {claims_command(report.suite)}"), soft_wrap=True)
    lines = pair_lines(report)
    if lines:
        console.print(Text("\nArm against arm", style="bold"))
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def print_tuning(
    console: Console, arms: Sequence[TunedArm], in_suite: Mapping[str, OptimizerSettings], num_missing: int
) -> None:
    """Print what the trials have chosen, how sure that is, and what to write into the suite."""
    table = tuning_table(arms, in_suite)
    if table is None:
        return
    console.print(rich_table(table))
    console.print(Text(table.note, style="dim"))
    for sentence in tuning_sentences(arms, in_suite, num_missing):
        console.print(Text(sentence))
    console.print(Text("\nThe best points, for the suite's file:\n", style="bold"))
    for line in chosen_lines(arms):
        console.print(Text(printable(line)), soft_wrap=True)


def _print_tables(console: Console, tables: Iterable[Table | None], *, titled: bool) -> None:
    for table in tables:
        if table is not None:
            if titled:
                console.print(Text(table.title))
            console.print(rich_table(table))


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
    line = Text(f"{judgement.claim_id:<11}" if len(judgement.claim_id) < 11 else f"{judgement.claim_id} ")
    line.append(headline(judgement), style=_COLOURS.get(judgement.here, "dim"))
    console.print(line)
    said = (*judgement.first, measured(judgement), judgement.reason, audit_counts(judgement), decided_by(judgement))
    for sentence in (judgement.claim.text, *said):
        if sentence:
            console.print(Padding(Text(sentence), (0, 0, 0, 11), expand=False))
