"""`evabench run`: make what a suite still lacks, store it, and print what it says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from evabench.claims.reading import claims_about
from evabench.cli.answers import RunAnswer
from evabench.cli.device import DeviceOption
from evabench.cli.dry_run import show_plan
from evabench.cli.output import JsonOption, Output, QuietOption
from evabench.cli.peers import stored_public
from evabench.cli.stored import RESULTS, asked_file, command, store_of, trials_of
from evabench.cli.tier import TierOption
from evabench.errors import ExitCode, SuiteError
from evabench.findings.tuning import tuned_arms
from evabench.machine.host import read_host
from evabench.records.run import Run
from evabench.reporting.answers import report_answer
from evabench.reporting.report import Report, make_report
from evabench.reporting.run_words import STOPPED, failed_runs, what_failed, what_is_left
from evabench.reporting.tables.tuning import chosen_lines
from evabench.reporting.terminal import print_report, print_so_far, print_tuning
from evabench.runner.devices import Devices, find_devices
from evabench.runner.estimate import Estimate
from evabench.runner.missing_data import MissingData, missing_data, without_data
from evabench.runner.plan import Plan
from evabench.runner.plugins import check_plugins
from evabench.runner.progress import RunProgress
from evabench.runner.suite_run import SuiteRun, check_data
from evabench.store.asked import Asked
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite


def run_suite(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of convergence seeds.")] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Untimed runs at once; timed ones are alone.")] = 1,
    tier: TierOption = None,
    device: DeviceOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = RESULTS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be run and estimate time and memory; run nothing.")
    ] = False,
    probe_seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="With --dry-run: time for probes; 0: stored runs only.")
    ] = 60.0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Make failed runs again.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every run again; old ones stay in the file.")] = False,
    no_repeat: Annotated[
        bool, typer.Option("--no-repeat", help="Do not make a timing sweep that was disturbed a second time.")
    ] = False,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Make the trials of the suite's tuning alone, and print what they choose."),
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a suite. What is stored already is not run again."""
    output = Output(as_json=as_json, quiet=quiet)
    loaded, host = load_suite(suite, tier), read_host()
    devices = find_devices(device or loaded.device)
    loaded = replace(loaded, device=devices.kind)
    if tune:
        _check_tuning(loaded, seeds)
    asked = SuiteRun(
        suite=loaded,
        host=host,
        store=store_of(results, loaded, host.id),
        seeds=seeds,
        retry_failed=retry_failed,
        fresh=fresh,
        repeat=not no_repeat,
        tune=tune,
    )
    stored = asked.store.read()
    plan = asked.plan(stored.entries)
    options = {"seeds": seeds, "jobs": None if jobs == 1 else jobs, "no_repeat": no_repeat, "tune": tune}
    again = command(suite, tier, results, device=device, **options)
    missing = missing_data(plan)
    output.note(devices.words)
    _say_what_is_left(output, asked, plan)
    output.note("\n".join((*stored.faults, *asked.targets.read().faults)))
    if dry_run:
        output.note(stored.torn)
        _say_what_is_missing(output, plan, missing)
        estimate = show_plan(output, plan, host, results, probe_seconds, devices)
        failed = () if tune else failed_runs(plan)
        output.give("run", _answer(asked, plan, failed, estimate=estimate))
        _say_what_failed(output, failed, 0, again, loaded)
        return
    check_data(plan, missing)
    check_plugins(without_data(plan, missing), timeout_seconds=loaded.timeout_seconds, device_index=devices.indices[0])
    _say_what_is_missing(output, plan, missing)
    for moved in asked.mend():
        output.note(f"A torn last line of an earlier crash was moved to {moved}.")
    asked_file(results, loaded, host.id).write(Asked(tier=tier, seeds=seeds, device=device and devices.kind))
    num_lost = _make(output, asked, plan, jobs, devices)
    plan = asked.lasting_plan()
    report = _report(asked, plan) if plan.stored and not tune else None
    if tune:
        print_tuning(output.answer, tuned_arms(plan.trials), loaded.arms, num_missing=plan.num_runs)
    elif report:
        print_report(output.answer, report)
    failed = () if tune else failed_runs(plan)  # a point that fails is one that is not chosen
    output.give("run", _answer(asked, plan, failed, report=report, num_lost=num_lost))
    _say_what_failed(output, failed, num_lost, again, loaded)
    if missing or plan.targets.none or not plan.stored:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _say_what_failed(output: Output, failed: Sequence[Run], num_lost: int, again: str, suite: Suite) -> None:
    """Say what did not complete and how to make it again; exit with 3 where there is any."""
    output.note("\n".join(what_failed(failed, num_lost, again, suite.timeout_seconds)))
    if failed or num_lost:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _check_tuning(suite: Suite, seeds: int | None) -> None:
    """Raise `SuiteError` where there is nothing to tune, and `--seeds` where the file says how many."""
    if suite.tuning is None:
        where = f"the suite {suite.name}" + (f" at tier {suite.tier}" if suite.tier else "")
        raise SuiteError(f"{where} has no [tuning]: docs/suites.md says what stands in it")
    if seeds is not None:
        raise SuiteError("--seeds is the number of judged seeds: how many a tuning has stands in [tuning] seeds")


def _report(asked: SuiteRun, plan: Plan) -> Report:
    return make_report(
        asked.suite,
        plan.stored,
        claims_about(asked.suite),
        num_missing=plan.num_runs,
        targets=plan.targets,
        trials=trials_of(asked.suite, plan.trials),
        public=stored_public(asked.suite, asked.store.path.parents[2], asked.host.id),
    )


def _make(output: Output, asked: SuiteRun, plan: Plan, jobs: int, devices: Devices) -> int:
    """Make the runs, and return how many of them got lost."""
    try:

        def first_look() -> bool:
            return print_so_far(output.notes, _report(asked, asked.lasting_plan()))

        with RunProgress(output.notes, plan.num_runs, first_look=None if asked.tune else first_look) as progress:
            asked.make(plan, progress, jobs=jobs, devices=devices)
            return progress.num_lost
    except KeyboardInterrupt:
        output.note(STOPPED)
        raise


def _say_what_is_left(output: Output, asked: SuiteRun, plan: Plan) -> None:
    suite = asked.suite
    tier = f", tier {suite.tier}" if suite.tier else ""
    title = Text.assemble((suite.title, "bold"), f" ({suite.name}{tier}), stored in {asked.store.path}")
    output.notes.print(title, soft_wrap=True)
    for line in what_is_left(plan):
        output.note(line)


def _say_what_is_missing(output: Output, plan: Plan, missing: tuple[MissingData, ...]) -> None:
    output.note("\n".join(one.tell(plan.num_runs) for one in missing))


def _answer(
    asked: SuiteRun,
    plan: Plan,
    failed: Sequence[Run],
    *,
    report: Report | None = None,
    num_lost: int = 0,
    estimate: Estimate | None = None,
) -> RunAnswer:
    return RunAnswer(
        store=str(asked.store.path),
        num_stored=len(plan.trials if asked.tune else plan.stored),
        num_missing=plan.num_runs,
        num_failed=len(failed),
        num_lost=num_lost,
        report=report_answer(report) if report else None,
        chosen=tuple(chosen_lines(tuned_arms(plan.trials))) if asked.tune else (),
        estimated_seconds=estimate.seconds if estimate else None,
        num_unknown=estimate.num_unknown if estimate else None,
    )
