"""What the stored runs of a suite say, for the verbs that run nothing."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from evabench.claims.reading import claims_about
from evabench.cli.output import Output
from evabench.cli.peers import stored_public
from evabench.errors import StoreError
from evabench.export.places import run_files, with_faults
from evabench.findings.targets import TargetFindings, num_targets_tried
from evabench.findings.tuning import find_trials
from evabench.machine.code import is_of_this_code
from evabench.machine.host import read_host
from evabench.records.cell import Cell
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.reporting.report import Report, make_report
from evabench.reporting.run_sets import RunSet, run_sets, size_of
from evabench.reporting.tables.table import counted
from evabench.runner.devices import kind_of
from evabench.runner.plan import Plan, make_plan
from evabench.store.asked import Asked, AskedFile
from evabench.store.elsewhere import run_differences, stored_elsewhere
from evabench.store.files import RunStore
from evabench.store.targets import TargetStore
from evabench.suite.reading import load_suite, read_suite
from evabench.suite.shipped import shipped_suites
from evabench.suite.suite import Suite


def store_of(results: Path, suite: Suite, host_id: str) -> RunStore:
    """Return the file of this suite and host."""
    return RunStore(results / suite.name / host_id / "runs.jsonl")


def asked_file(results: Path, suite: Suite, host_id: str) -> AskedFile:
    """Return where the last run of this suite on this host says what it asked for."""
    return AskedFile(results / suite.name / host_id / "asked.json")


_MAX_DIFFERENCES = 3  # that are named
RESULTS = Path("results")  # where runs are stored, if nothing is said

RunsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--runs",
        metavar="PATH",
        help="Take the runs of this file or folder, whatever host and code made them; may be given several times.",
    ),
]


def stored_reports(
    output: Output,
    suite: str,
    tier: str | None,
    results: Path,
    runs: Sequence[Path] | None = None,
    device: str | None = None,
) -> tuple[Report, ...]:
    """Return the report of the stored runs of this host and this code; without any, say why and return none.

    With `runs` it is one for each file, host and version of torch that they have runs of.
    """
    kind = None if device is None else kind_of(device)
    if runs:
        loaded = load_suite(suite, tier, kind)
        return tuple(report_of(loaded, one, results) for one in run_sets(loaded, runs))
    whole, host = read_suite(suite), read_host()
    asked = _asked(asked_file(results, whole, host.id).read(), whole, tier)
    if kind is not None:
        asked = replace(asked, device=kind)
    if asked.words and tier is None and device is None:
        output.note(f"As the last run asked: {asked.words}.")
    report = _report_of_this_code(output, suite, load_suite(suite, asked.tier, asked.device), host, results, asked)
    return (report,) if report else ()


def _asked(last: Asked, suite: Suite, tier: str | None) -> Asked:
    """Return what is meant: a tier that is named now, else that of the last run, with its seeds where they belong."""
    if tier is not None:
        return last if last.tier == tier else Asked(tier=tier)
    return last if last.tier is None or last.tier in suite.tiers else Asked()


def report_of(suite: Suite, one: RunSet, results: Path | None = None) -> Report:
    """Return the report of runs from anywhere, with the targets beside their file; what is of older code is counted."""
    targets = TargetStore(one.path.with_name("targets.jsonl")).load()
    older = [run for run in one.runs if not is_of_this_code(run)]
    found = TargetFindings(found=targets, num_tried=num_targets_tried(suite, one.runs))
    report = make_report(
        suite,
        one.runs,
        claims_about(suite),
        older=older,
        targets=found,
        store_notes=one.notes,
        trials=trials_of(suite, (), one.path),
        public=stored_public(suite, results, one.host.id),
    )
    return replace(report, label=one.label, place=str(one.path))


def reports_of_places(places: Sequence[Path]) -> tuple[Report, ...]:
    """Return the reports of runs at some places, each by the size of a shipped suite that has most of what was run.

    Raises `StoreError` where no suite that ships has any: then the suite must be named.
    """
    suites = [read_suite(name) for name in shipped_suites()]
    reports: list[Report] = []
    for path in run_files(places):
        size = size_of(RunStore(path).load(), suites)
        if size is not None:
            reports += [report_of(size, one) for one in run_sets(size, [path])]
    if not reports:
        told = ", ".join(map(str, places))
        message = f"{told}: these runs are of no suite that ships. Name theirs: evabench claims SUITE --runs PATH"
        raise StoreError(with_faults(message, run_files(places)))
    return tuple(reports)


def trials_of(suite: Suite, own: Sequence[Run], *files: Path) -> tuple[Run, ...]:
    """Return the trials of the suite's tuning: those of this host, or of a file that has more of them.

    The suite's own file of trials is one of these. Whatever host and code made its trials: their losses choose
    settings, and are compared with nothing else.
    """
    tuning = suite.tuning
    if tuning is None:
        return tuple(own)
    known = [*files, *([Path(tuning.trials)] if tuning.trials else [])]
    cells, seeds = suite.trial_cells(), tuning.run_seeds
    found = [tuple(own)]
    if len(own) < len(cells) * tuning.seeds:
        found += [find_trials(cells, seeds, RunStore(path).read().entries) for path in known if path.is_file()]
    return max(found, key=len)


def _report_of_this_code(
    output: Output, suite: str, loaded: Suite, host: Host, results: Path, asked: Asked
) -> Report | None:
    stored = store_of(results, loaded, host.id).read()
    plan = make_plan(loaded, stored.entries, host, seeds=asked.seeds, repeat=False)
    unused = _why_unused(plan, stored.entries)
    if not plan.stored:
        older = f" ({plan.older_code} stored runs of older code are not used)" if plan.older_code else ""
        message = f"Nothing is stored for {loaded.name} on this host with this code{older}."
        output.note(f"{message} Run it: {command(suite, asked.tier, results, device=asked.device)}")
        output.note(unused)
        for other in stored_elsewhere(results, loaded.name, host):
            output.note(other.sentence)
        output.note("\n".join(stored.notes))
        return None
    return make_report(
        loaded,
        plan.stored,
        claims_about(loaded),
        num_missing=plan.num_runs,
        num_older=plan.older_code,
        targets=plan.targets,
        store_notes=(*stored.notes, *([unused] if unused else [])),
        trials=trials_of(loaded, plan.trials),
        public=stored_public(loaded, results, host.id),
    )


def _why_unused(plan: Plan, stored: Sequence[Run]) -> str | None:
    """Return what keeps stored runs of this host from being those that the suite asks for; None without any."""
    asked = {_place(run.cell, run.seed): run for run in plan.left}
    alike = [(run, asked[place]) for run in stored if (place := _place(run.cell, run.seed)) in asked]
    told = [run_differences(there, here.cell, here.environment, here.code) for there, here in alike]
    if not (found := Counter(difference for differing in told for difference in differing)):
        return None
    num_differing = sum(bool(differing) for differing in told)
    words = "; ".join(difference for difference, _ in found.most_common(_MAX_DIFFERENCES))
    more = f"; and {len(found) - _MAX_DIFFERENCES} more differences" if len(found) > _MAX_DIFFERENCES else ""
    return f"{counted(num_differing, 'run')} of this host are stored that differ, and are not used: {words}{more}."


def _place(cell: Cell, seed: int) -> tuple[str, str, str, str, int]:
    return cell.workload_name, cell.arm, cell.measurement.measurement, cell.role, seed


def command(suite: str, tier: str | None, results: Path, **options: int | bool | str | None) -> str:
    """Return the command that runs a suite as this call would, ready to be typed. Defaults are left out."""
    asked = {"tier": tier, "results": None if results == RESULTS else results} | options
    words = ["evabench", "run", suite]
    for name, value in asked.items():
        if value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return shlex.join(words)
