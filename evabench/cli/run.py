"""`evabench run`: make what a suite still lacks, store it, and print what it says."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from evabench.claims.eva import EVA_CLAIMS
from evabench.cli.dry_run import show_plan
from evabench.cli.stored import command, print_plainly, store_of
from evabench.cli.tier import TierOption
from evabench.errors import DataError, ExitCode
from evabench.findings.repeats import counting_runs
from evabench.machine.host import read_host
from evabench.reporting.report import make_report
from evabench.reporting.tables.table import counted
from evabench.reporting.terminal import print_report
from evabench.runner.campaign import Campaign
from evabench.runner.missing_data import missing_data, without_data
from evabench.runner.plan import Plan, make_plan
from evabench.runner.progress import RunProgress
from evabench.store.files import RunStore
from evabench.store.targets import TargetStore
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite


def run_suite(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that ships (`evabench list`).")],
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of convergence seeds.")] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Untimed runs at once; timed ones are alone.")] = 1,
    tier: TierOption = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("results"),
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
) -> None:
    """Run a suite. What is stored already is not run again."""
    console = Console()
    loaded, host = load_suite(suite, tier), read_host()
    store = store_of(results, loaded, host.id)
    targets = TargetStore(store.path.with_name("targets.jsonl"))
    stored = store.read()

    planned = partial(
        make_plan, loaded, host=host, seeds=seeds, retry_failed=retry_failed, fresh=fresh, repeat=not no_repeat
    )
    plan = planned(stored.entries)
    _say_what_is_left(console, loaded, plan, store)
    print_plainly(console, "\n".join((*stored.faults, *targets.read().faults)))
    missing = missing_data(plan)
    told = "\n".join(one.tell(plan.num_runs) for one in missing)
    if dry_run:
        print_plainly(console, stored.torn)
        print_plainly(console, told)
        show_plan(console, plan, host, results, probe_seconds)
        return
    plan = without_data(plan, missing)
    if told and not plan.left and not plan.stored:
        raise DataError(f"nothing of this suite can be run.\n{told}")
    print_plainly(console, told)
    _mend(console, store, targets)
    try:
        with store.reserved() if plan.left else nullcontext(), RunProgress(console, plan.num_runs) as progress:
            campaign = Campaign(
                store=store,
                host=host,
                timeout_seconds=loaded.timeout_seconds,
                layout_seed=loaded.seed,
                jobs=jobs,
                progress=progress.done,
                repeated=progress.repeated,
            )
            _make_runs(campaign, plan, lambda made: without_data(planned(store.load(), made=made), missing), targets)
    except KeyboardInterrupt:
        told = "Stopped. What had ended is stored, a timing sweep only as a whole; the same command goes on from there."
        print_plainly(console, told)
        raise
    plan = make_plan(loaded, store.load(), host, seeds=seeds, repeat=False)
    if plan.stored:
        print_report(
            console, make_report(loaded, plan.stored, EVA_CLAIMS, num_missing=plan.num_runs, targets=plan.targets)
        )
    failed = [run for run in counting_runs(plan.stored) if not run.outcome.completed]
    again = sum(run.outcome.kind != "diverged" for run in failed)  # a divergence is a finding
    if again:
        told = f"{counted(again, 'run')} failed; another call does not repeat what failed. When the cause is gone: "
        told += f"{command(suite, tier)} --retry-failed"
        if any(run.outcome.kind == "timeout" for run in failed):
            told += f"\nThe suite gives a run {loaded.timeout_seconds:g} s: timeout_seconds."
        print_plainly(console, told)
    if failed or missing or plan.targets.none or not plan.stored:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _make_runs(campaign: Campaign, plan: Plan, replan: Callable[[set[str]], Plan], targets: TargetStore) -> None:
    """Make the runs that set targets, write these down, then make what is judged by them."""
    if plan.setting:
        campaign.set_targets(plan)
        plan = replan({run.key for run in plan.setting})
    targets.record(plan.targets.found)
    campaign.run(plan)


def _mend(console: Console, *files: RunStore | TargetStore) -> None:
    """Set torn last lines aside before anything is run: with nothing to run, nothing would be written either."""
    for file in files:
        file.mend()
        if file.set_aside:
            print_plainly(console, f"A torn last line of an earlier crash was moved to {file.set_aside}.")


def _say_what_is_left(console: Console, suite: Suite, plan: Plan, store: RunStore) -> None:
    tier = f", tier {suite.tier}" if suite.tier else ""
    console.print(
        Text.assemble((suite.title, "bold"), f" ({suite.name}{tier}), stored in {store.path}"), soft_wrap=True
    )
    if plan.older_code:
        console.print(f"{counted(plan.older_code, 'stored run')} of older code: kept in the file, and not used.")
    if plan.num_runs == 0:
        console.print("Nothing to run: everything that this suite asks for is stored.")
    else:
        console.print(f"{counted(plan.num_runs, 'run')} to make, {len(plan.stored)} stored.")
    if plan.setting:
        console.print(f"{len(plan.setting)} of them set a target and come first; {len(plan.waiting)} are judged by it.")
