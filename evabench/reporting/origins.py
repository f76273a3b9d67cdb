"""Where a number comes from: the runs behind a figure, what each of them holds, and the steps in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from evabench.claims.judgement import Evidence, Judgement
from evabench.errors import EvabenchError, printable
from evabench.records.measurement import ConvergenceSettings
from evabench.records.run import Run
from evabench.reporting.cards import CLAIMS_ADDRESS, PAIRS_ADDRESS, audit_address, card_address
from evabench.reporting.cells import Place, column_ids, find_place, only, slug
from evabench.reporting.columns import of_column
from evabench.reporting.document import Origin
from evabench.reporting.facts import facts
from evabench.reporting.report import Report
from evabench.reporting.sections import sections
from evabench.reporting.source_tables import figures_table, run_table
from evabench.reporting.tables.pairs import Pair, make_pairs, pairs_table
from evabench.reporting.tables.table import Table
from evabench.reporting.tables.verdicts import audit_table, evidence_table, verdicts_table
from evabench.settings.claims import TO_TARGET, TRAINED, Quantity

_KINDS: dict[Quantity, tuple[str, ...]] = {
    "step_time_ratio": ("step_time",),
    "cost_exponent": ("step_time",),
    "tensor_peak_ratio": ("memory",),
    "curvature_growth": ("memory",),
    "curvature_bytes_ratio": ("memory",),
    "work_growth": ("counts",),
}

_JUDGED = "Each question is judged by itself, by the rule of docs/statistics.md."
_OF_WIDTHS: tuple[Quantity, ...] = ("curvature_growth", "curvature_bytes_ratio", "work_growth", "cost_exponent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What `evabench show --id` prints."""

    address: str
    title: str
    how: str
    runs: tuple[Run, ...]
    tables: tuple[Table, ...]  # the number itself, the arms' figures, and the runs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What has an address."""

    title: str
    origin: Origin
    table: Table | None = None  # None: a picture
    rows: tuple[Origin, ...] = ()  # of each row of the table; empty: a row is an arm, or rests on all runs


def find_source(report: Report, wanted: str) -> Source:
    """Return where a number comes from; "cost.mlp/Eva" is a row of a figure, "cost.mlp/Eva/step" a cell of it.

    Raises `EvabenchError` where there is no such figure, row or column.
    """
    address, _, cell = wanted.partition("/")
    known = dict(_known(report))
    if address not in known:
        raise EvabenchError(f"--id {wanted}: there is no such figure. There are: {', '.join(known)}")
    found = known[address]
    place = _place(wanted, found, cell) if cell and found.table else None
    arms = found.origin.arms or tuple(report.suite.arms)
    if cell and place is None:
        arms = (_arm(wanted, cell, arms, found.table),)
    origin = replace(found.origin, arms=arms)
    if place is not None:
        origin = _of_place(found, place, origin, tuple(report.suite.arms))
    runs = tuple(sorted(_runs(report, origin), key=_order))
    shown = _shown(found.table, place, cell)
    made = [shown, figures_table(report, origin), run_table(report, runs)]
    return Source(
        address=wanted,
        title=found.title,
        how=origin.how,
        runs=runs,
        tables=tuple(one for one in made if one and one.rows),
    )


def _known(report: Report) -> Iterator[tuple[str, _Known]]:
    for section in sections(report):
        for figure in section.figures:
            table = figure.part if isinstance(figure.part, Table) else None
            yield figure.address, _Known(title=figure.part.title, origin=figure.origin, table=table)
    for fact in facts(report):
        if fact.origin:
            yield fact.address, _Known(title=fact.text, origin=fact.origin, table=fact.table, rows=fact.rows)
    yield from _known_verdicts(report)


def _known_verdicts(report: Report) -> Iterator[tuple[str, _Known]]:
    if table := verdicts_table(report.judgements):
        rows = tuple(_claimed(one, one.evidence) for one in report.judgements)
        yield CLAIMS_ADDRESS, _Known(title=table.title, origin=Origin(kinds=(), how=_JUDGED), table=table, rows=rows)
    for judgement in report.judgements:
        origin, evidence = _claimed(judgement, judgement.evidence), evidence_table(judgement)
        rows = tuple(_claimed(judgement, [one]) for one in judgement.evidence)
        claimed = _Known(title=judgement.claim.text, origin=origin, table=evidence, rows=rows)
        yield card_address(report, judgement), claimed
        if audit := audit_table(judgement):
            audited = _Known(title=audit.title, origin=replace(origin, kinds=()), table=audit)
            yield audit_address(report, judgement), audited
    pairs = make_pairs(report)
    if table := pairs_table(pairs):
        rows = tuple(_of_pair(pair) for pair in pairs)
        every = Origin(kinds=("step_time", "convergence"), how=_JUDGED)
        yield PAIRS_ADDRESS, _Known(title=table.title, origin=every, table=table, rows=rows)


def _of_pair(pair: Pair) -> Origin:
    claimed = [_claimed(one, one.evidence) for one in pair.judgements]
    kinds = tuple(dict.fromkeys(kind for one in claimed for kind in one.kinds))
    arms = tuple(dict.fromkeys(arm for one in claimed for arm in one.arms))
    (workload,) = pair.judgements[0].claim.workloads
    return Origin(kinds=kinds, how=_JUDGED, workload=workload, arms=arms)


def _claimed(judgement: Judgement, evidence: Sequence[Evidence]) -> Origin:
    """Return what some comparisons of a claim rest on."""
    quantity = judgement.claim.quantity
    trained = ("convergence", "step_time") if quantity in TO_TARGET else ("convergence",)
    of_widths = quantity in _OF_WIDTHS  # their runs have a name for each width
    workloads = set() if of_widths else {one.workload for one in evidence}
    return Origin(
        kinds=trained if quantity in TRAINED else _KINDS[quantity],
        how=f"{judgement.reason} The interval decides, by the rule of docs/statistics.md.",
        workload=workloads.pop() if len(workloads) == 1 else None,
        arms=tuple(dict.fromkeys(name for one in evidence for name in (one.arm, one.base))),
    )


def _place(wanted: str, found: _Known, cell: str) -> Place | None:
    assert found.table is not None
    try:
        return find_place(found.table, cell)
    except KeyError as unknown:
        there = ", ".join(column_ids(found.table)[1:])
        raise EvabenchError(f'--id {wanted}: the row has no column "{unknown.args[0]}". It has: {there}') from None


def _arm(wanted: str, cell: str, arms: Sequence[str], table: Table | None) -> str:
    """Return the arm of a picture, or one that a table passes over, by its name or its id."""
    for arm in arms:
        if cell in (arm, slug(arm)):
            return arm
    there = tuple(dict.fromkeys(row[0] for row in table.rows)) if table else arms
    raise EvabenchError(f"--id {wanted}: there is no such row. It has: {', '.join(there)}")


def _of_place(found: _Known, place: Place, origin: Origin, every_arm: Sequence[str]) -> Origin:
    """Return what the rows and the column of a place rest on."""
    assert found.table is not None
    if found.rows:
        of_rows = [found.rows[row] for row in place.rows]
        arms = tuple(dict.fromkeys(arm for one in of_rows for arm in one.arms))
        origin = of_rows[0] if len(of_rows) == 1 else replace(origin, arms=arms or origin.arms)
    elif names := {found.table.rows[row][0] for row in place.rows} & set(map(printable, every_arm)):
        origin = replace(origin, arms=tuple(arm for arm in every_arm if printable(arm) in names))
    return origin if place.column is None else of_column(origin, found.table.headings[place.column])


def _shown(table: Table | None, place: Place | None, cell: str) -> Table | None:
    """Return a table, or what stands at a place of it."""
    if table is None or (cell and place is None):
        return None
    return table if place is None else only(table, place)


def _runs(report: Report, origin: Origin) -> Iterator[Run]:
    for run in report.trials if origin.role == "tuning" else report.runs:
        cell = run.cell
        if origin.kinds and cell.measurement.measurement not in origin.kinds:
            continue
        if origin.workload is not None and cell.workload_name != origin.workload:
            continue
        if cell.arm not in origin.arms or (origin.kinds and cell.role != origin.role):
            continue
        trained = isinstance(cell.measurement, ConvergenceSettings)
        if trained and origin.budget is not None and cell.measurement != origin.budget:
            continue
        yield run


def _order(run: Run) -> tuple[str, str, str, int, int]:
    visit = run.visit.sweep if run.visit else -1
    return run.cell.workload_name, run.cell.arm, run.cell.measurement.measurement, visit, run.seed
