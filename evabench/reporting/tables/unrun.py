"""What a suite asks for and no run here is of, as a table: a page must not be silent about a net that it names."""

from collections.abc import Iterator

from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table

_EVERY, _ALL = "every arm", "everything"
_MAX_NAMED = 8


def unrun_table(report: Report) -> Table | None:
    """Return the workloads and arms of the suite without a run, by kind of measurement; None where each has one."""
    rows = tuple(row for workload in report.suite.workloads for row in _unrun(report, workload))
    if not rows:
        return None
    return Table(
        title="Asked for and not run here",
        headings=("workload", "arms", "what"),
        rows=rows,
        text=frozenset({"arms", "what"}),
    )


def _unrun(report: Report, workload: str) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each group of arms that lack the same kinds; one alone where the workload has no run."""
    suite, runs = report.suite, [run for run in report.runs if run.cell.workload_name == workload]
    has = {(run.cell.arm, run.cell.measurement.measurement) for run in runs}
    asked: dict[str, list[str]] = {}
    for kind in suite.tables:
        for cell in suite.cells(kind):
            if cell.workload_name == workload and kind not in asked.setdefault(cell.arm, []):
                asked[cell.arm].append(kind)
    lacking: dict[tuple[str, ...], list[str]] = {}
    for arm, kinds in asked.items():
        if lacks := tuple(kind for kind in kinds if (arm, kind) not in has):
            lacking.setdefault(lacks, []).append(arm)
    for lacks, arms in lacking.items():
        whole = all(set(lacks) == set(asked[arm]) for arm in arms)
        what = _ALL if whole else ", ".join(kind.replace("_", " ") for kind in lacks)
        yield workload, _EVERY if len(arms) == len(asked) else _some(arms), what


def _some(names: list[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
