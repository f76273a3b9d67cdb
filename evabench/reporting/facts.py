"""What the first screen says of the runs themselves, how many and how noisy, each with the table behind its numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from evabench.findings.interruptions import KnownVisits
from evabench.records.run import Run
from evabench.reporting.document import Fact, Origin
from evabench.reporting.report import Report
from evabench.reporting.tables.table import NOT_MEASURED, Table, counted
from evabench.stats.noise import robust_sd

_MIN_PAIRS = 4  # of a noise
_COUNTED = "Every run that is shown, by its kind of measurement and by what it was made for."
_NOISE = (
    "The deviation of an arm is the median distance of its log ratios from their median, as a standard deviation; the "
    "noise is the median over the arms with at least four pairs. Tries that do not count are not among the timed runs."
)


def facts(report: Report) -> Iterator[Fact]:
    """Yield how many runs there are of which host, and how noisy their step times were."""
    yield _runs(report)
    timed = [run for run in report.findings.runs if run.cell.measurement.timed]
    logs = {
        (one.name, arm): ratio.log_ratios
        for one in report.workloads
        for arm, ratio in one.step_over_reference.items()
        if len(ratio.log_ratios) >= _MIN_PAIRS
    }
    if logs:
        yield _noise(timed, logs)
    elif not timed:
        yield Fact(text="Nothing here was timed")


def _runs(report: Report) -> Fact:
    host, (first, last) = report.host, (day[:10] for day in report.period)
    where = ", ".join((host.cpu, *(host.gpus or ("no GPU",))))
    alike: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in report.runs:
        alike[run.cell.measurement.measurement, run.cell.role].append(run)
    return Fact(
        text=f"{counted(len(report.runs), 'run')} on {where}; {first}{f' to {last}' if last != first else ''}",
        address="first.runs",
        origin=Origin(kinds=(), how=_COUNTED),
        rows=tuple(
            Origin(kinds=(kind,), role=role, how=_COUNTED, arms=tuple(report.suite.arms)) for kind, role in alike
        ),
        table=Table(
            title="Runs",
            headings=("kind", "made to be", "runs", "completed"),
            text=frozenset({"made to be"}),
            rows=tuple(
                (kind.replace("_", " "), role.replace("_", " "), str(len(runs)), str(_num_completed(runs)))
                for (kind, role), runs in alike.items()
            ),
        ),
    )


def _num_completed(runs: Sequence[Run]) -> int:
    return sum(run.outcome.completed for run in runs)


def _noise(timed: Sequence[Run], logs: Mapping[tuple[str, str], Sequence[float]]) -> Fact:
    known = KnownVisits(timed)
    num_timed = Counter((run.cell.workload_name, run.cell.arm) for run in timed)
    disturbed = Counter((run.cell.workload_name, run.cell.arm) for run in timed if known.disturbances(run))
    deviations = {of: robust_sd(ratios) for of, ratios in logs.items()}
    return Fact(
        text=(
            f"Noise: two visits of a pair differ by {median(deviations.values()):.1%} beyond the arms' own difference "
            f"(one standard deviation); {disturbed.total()} of {len(timed)} timed runs were disturbed"
        ),
        address="first.noise",
        origin=Origin(kinds=("step_time",), how=_NOISE),
        rows=tuple(Origin(kinds=("step_time",), how=_NOISE, workload=of[0], arms=(of[1],)) for of in num_timed),
        table=Table(
            title="Noise of the timed runs",
            headings=("arm", "workload", "pairs", "deviation", "timed runs", "disturbed"),
            text=frozenset({"workload"}),
            rows=tuple(
                (
                    of[1],
                    of[0],
                    str(len(logs[of])) if of in logs else NOT_MEASURED,
                    f"{deviations[of]:.2%}" if of in deviations else NOT_MEASURED,
                    str(num),
                    str(disturbed[of]),
                )
                for of, num in num_timed.items()
            ),
        ),
    )
