"""What `evabench run` says before and behind its runs."""

from collections.abc import Iterator, Sequence

from evabench.findings.repeats import counting_runs
from evabench.records.run import Run
from evabench.reporting.tables.table import counted
from evabench.runner.plan import Plan
from evabench.units import Seconds

STOPPED = "Stopped. Finished runs are stored, a timing sweep only as a whole; the same command goes on from there."


def what_is_left(plan: Plan) -> Iterator[str]:
    """Yield what is stored and what will be made, a sentence each."""
    if plan.older_code:
        yield f"{counted(plan.older_code, 'stored run')} of older code: kept in the file, and not used."
    if plan.num_runs == 0:
        yield "Nothing to run: everything that this suite asks for is stored."
    else:
        yield f"{counted(plan.num_runs, 'run')} to make, {len(plan.stored)} stored."
    if plan.setting:
        num_setting = sum(len(session.runs) for session in plan.setting)
        yield f"{num_setting} of them set a target and come first; {len(plan.waiting)} are judged by it."


def failed_runs(plan: Plan) -> tuple[Run, ...]:
    """Return the stored runs that count and did not complete."""
    return tuple(run for run in counting_runs(plan.stored) if not run.outcome.completed)


def what_failed(failed: Sequence[Run], num_lost: int, command: str, timeout_seconds: Seconds) -> Iterator[str]:
    """Yield what the next call will make again by itself, and how to make it repeat what failed."""
    if num_lost:
        yield (
            f"{counted(num_lost, 'run')} got lost: not stored, and no failure of an arm. When the cause is gone, "
            f"the next call makes up for it: {command}"
        )
    again = sum(run.outcome.kind != "diverged" for run in failed)  # a divergence is a finding
    if again:
        yield (
            f"{counted(again, 'run')} failed; another call does not repeat what failed. When the cause is gone: "
            f"{command} --retry-failed"
        )
    if any(run.outcome.kind == "timeout" for run in failed):
        yield f"The suite gives a run {timeout_seconds:g} s: timeout_seconds."
