"""What the stored runs of a suite say, for the verbs that run nothing."""

import shlex
from pathlib import Path

import typer
from rich.console import Console

from evabench.claims.eva import EVA_CLAIMS
from evabench.errors import ExitCode
from evabench.machine.host import read_host
from evabench.reporting.report import Report, make_report
from evabench.runner.plan import make_plan
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite


def store_of(results: Path, suite: Suite, host_id: str) -> RunStore:
    """Return the file of this suite and host."""
    return RunStore(results / suite.name / host_id / "runs.jsonl")


def stored_report(console: Console, suite: str, tier: str | None, results: Path) -> Report:
    """Return the report of the stored runs of this host and this code; without any, say so and exit."""
    loaded, host = load_suite(suite, tier), read_host()
    store = store_of(results, loaded, host.id)
    stored = store.read()
    plan = make_plan(loaded, stored.entries, host, repeat=False)
    if not plan.stored:
        older = f" ({plan.older_code} stored runs of older code are not used)" if plan.older_code else ""
        message = f"Nothing is stored for {loaded.name} on this host with this code{older}."
        print_plainly(console, f"{message} Run it: {command(suite, tier)}")
        print_plainly(console, "\n".join(stored.notes))
        raise typer.Exit(ExitCode.INCOMPLETE)
    return make_report(
        loaded,
        plan.stored,
        EVA_CLAIMS,
        num_missing=plan.num_runs,
        num_older=plan.older_code,
        targets=plan.targets,
        store_notes=stored.notes,
    )


def command(suite: str, tier: str | None) -> str:
    """Return the command that runs a suite, as it has to be typed."""
    return f"evabench run {shlex.quote(suite)}" + (f" --tier {shlex.quote(tier)}" if tier else "")


def print_plainly(console: Console, text: str | None) -> None:
    """Print text as it is, if there is any: no markup, no colours, no line ends of ours."""
    if text:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
