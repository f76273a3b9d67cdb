"""Where the numbers come from, as tables: settings, host, conditions, and the runs that did not complete."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median

from evabench.findings.interruptions import KnownVisits
from evabench.records.limits import Limits
from evabench.records.measurement import ConvergenceSettings
from evabench.records.run import Run
from evabench.reporting.report import Report
from evabench.reporting.tables.table import NOT_MEASURED, Table
from evabench.units import format_bytes


def settings_table(report: Report) -> Table:
    """Return every arm's settings as they ran."""
    return Table(
        title="Settings",
        headings=("arm", "optimizer", "settings"),
        text=frozenset({"optimizer", "settings"}),
        rows=tuple(
            (
                name,
                settings.title,
                ", ".join(
                    _setting(key, value)
                    for key, value in asdict(settings).items()
                    if key not in ("optimizer", "lies") and value != ()
                ),
            )
            for name, settings in report.suite.arms.items()
        ),
    )


def _setting(name: str, value: object) -> str:
    if name != "groups" or not isinstance(value, tuple):
        return f"{name} {value}"
    return "groups " + " and ".join(f"({' '.join(f'{key} {own}' for key, own in group.items())})" for group in value)


def host_table(report: Report) -> Table:
    """Return what the machine is and which code was measured."""
    host, code = report.host, report.code
    commit = f", commit {code.commit[:12]}" if code.commit else ""
    commits = {run.code.commit for run in report.runs}
    if len(commits) > 1:
        commit = f", {len(commits)} commits with the same measured sources"
    rows = [
        ("host", host.id),
        ("processor", host.cpu if host.num_cpus is None else f"{host.cpu}, {host.num_cpus} CPUs"),
        ("memory", format_bytes(host.memory_bytes)),
        ("limits", "; ".join(dict.fromkeys(_limits(run.conditions.limits) for run in report.runs))),
        ("GPU", ", ".join(host.gpus) or "none"),
        ("trained on", "; ".join(dict.fromkeys(_device(run) for run in report.runs))),
        ("system", f"{host.system}, Python {host.python}"),
        ("packages", "; ".join(dict.fromkeys(run.environment.title for run in report.runs))),
        ("subnormal numbers", _subnormals(report)),
        ("evabench", f"{code.version}{commit}{', with uncommitted changes' if code.dirty else ''}"),
        ("measured", f"{report.period[0]} to {report.period[1]}"),
    ]
    return Table(title="Host and code", headings=("what", "value"), rows=tuple(rows), text=frozenset({"value"}))


def _subnormals(report: Report) -> str:
    asked = {run.cell.subnormals for run in report.runs}
    words = {"flush": "flushed to 0 in every child", "keep": "computed with"}
    return "; ".join(f"{words[one]}{' (in some runs)' if len(asked) > 1 else ''}" for one in sorted(asked))


def subnormal_warnings(report: Report) -> tuple[str, ...]:
    """Return how many runs were to flush subnormal numbers and could not, as a sentence; nothing where none was."""
    lost = sum(run.cell.subnormals == "flush" and run.subnormals_flushed is False for run in report.runs)
    if not lost:
        return ()
    return (
        f"{lost} of {len(report.runs)} runs computed with subnormal numbers, since this platform cannot flush them: "
        "late steps of training may take many times as long as timed ones.",
    )


def _device(run: Run) -> str:
    limits = run.conditions.limits
    return run.cell.device if limits is None or limits.device is None else limits.device.title


def _limits(limits: Limits | None) -> str:
    if limits is None:
        return NOT_MEASURED
    words = [f"{limits.usable_cpus} usable" + (f" ({limits.affinity})" if limits.affinity else "")]
    words += [f"{limits.cpus:g} CPUs' time"] if limits.cpus is not None else []
    words += [format_bytes(limits.memory_bytes)] if limits.memory_bytes is not None else []
    return ", ".join(words)


def older_warnings(report: Report) -> tuple[str, ...]:
    """Return how many of the runs shown are of older code, as a sentence; nothing where none is."""
    if not report.older:
        return ()
    which = "All" if len(report.older) == len(report.runs) else f"{len(report.older)} of"
    return (
        f"{which} {len(report.runs)} runs shown are of older code ({sources_words(report.older)}): "
        "what is installed now may be faster, slower or another method.",
    )


def sources_words(runs: Sequence[Run]) -> str:
    """Return "sources 0123456789ab and 2 more": which code made the runs, the last one's first."""
    last, *others = dict.fromkeys(run.code.id for run in reversed(runs))
    return f"sources {last}{f' and {len(others)} more' if others else ''}"


def conditions_table(report: Report) -> Table:
    """Return what the machine was doing, by kind of run: the median and the worst."""
    kinds: dict[str, list[Run]] = {}
    known = KnownVisits(report.runs)
    for run in report.runs:
        kinds.setdefault(run.cell.measurement.measurement, []).append(run)
    return Table(
        title="Conditions",
        headings=("runs", "number", "at once", "threads", "load at start", "stolen time", "foreign load", "disturbed"),
        rows=tuple(
            (
                kind.replace("_", " "),
                str(len(runs)),
                _span(str(run.conditions.jobs) for run in runs),
                _span(str(run.conditions.threads) for run in runs if run.conditions.threads is not None),
                _spread([run.conditions.load_1min for run in runs], "{:.1f}"),
                _spread([run.conditions.steal_share for run in runs], "{:.1%}"),
                _spread([run.conditions.foreign_cpu_share for run in runs], "{:.0%}"),
                str(sum(bool(known.disturbances(run)) for run in runs)) if _has_a_clock(runs[0]) else NOT_MEASURED,
            )
            for kind, runs in kinds.items()
        ),
        note=(
            "Load, stolen time and foreign load: median, and the worst run in brackets. Disturbed: runs with a clock "
            "beside which something else used the machine; disturbed sweeps were made a second time where that was "
            "asked for."
        ),
    )


def _has_a_clock(run: Run) -> bool:
    return run.cell.measurement.timed or isinstance(run.cell.measurement, ConvergenceSettings)


def unfinished_table(report: Report) -> Table | None:
    """Return the runs that did not complete, those with one outcome and reason together; None where all did."""
    if not report.unfinished:
        return None
    alike: dict[tuple[str, str], list[Run]] = {}
    for run in report.unfinished:
        reason = run.outcome.reason or NOT_MEASURED
        alike.setdefault((run.outcome.kind.replace("_", " "), reason), []).append(run)
    return Table(
        title="Runs that did not complete",
        headings=("run", "runs", "outcome", "reason"),
        text=frozenset({"outcome", "reason"}),
        rows=tuple(
            (_some([f"{run.cell.title}, seed {run.seed}" for run in runs]), str(len(runs)), outcome, reason)
            for (outcome, reason), runs in alike.items()
        ),
    )


_MAX_NAMED = 3


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return "; ".join(names[:_MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _span(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words))) or NOT_MEASURED


def _spread(values: Sequence[float | None], pattern: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOT_MEASURED
    return f"{pattern.format(median(known))} ({pattern.format(max(known))})"
