"""The targets of a suite that runs set: which runs those are, and what they have come to.

A target follows from its runs alone. Judged runs carry its hash in their cells, and so in their keys: they can only be
planned when it is set, and a target that changes leaves the runs behind that were made for the one before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from evabench.findings.target_rule import NoTarget, set_target
from evabench.findings.targets import TargetFindings
from evabench.records.cell import Cell
from evabench.records.host import Host
from evabench.records.measurement import ConvergenceSettings
from evabench.records.run import Run, run_key
from evabench.records.set_target import SetTarget
from evabench.runner.planned_run import PlannedRun, plan_run
from evabench.settings.targets import number_hash
from evabench.suite.suite import Suite


def plan_target_runs(suite: Suite, host: Host) -> tuple[PlannedRun, ...]:
    """Return every run that sets a target, whether it is stored or not."""
    table = suite.convergence
    if table is None:
        return ()
    return tuple(plan_run(cell, seed, host) for seed in table.setting_seeds for cell in suite.target_cells())


def find_targets(
    suite: Suite, planned: Sequence[PlannedRun], stored: Mapping[str, Run], settled: Collection[str]
) -> TargetFindings:
    """Return the targets, each once its runs are all among the keys that need not be made any more."""
    found: list[SetTarget] = []
    none: list[NoTarget] = []
    for cell in suite.target_cells():
        made = _found(suite, cell, [run for run in planned if run.cell == cell], stored, settled)
        if isinstance(made, SetTarget):
            found.append(made)
        else:
            none.append(made)
    return TargetFindings(found=tuple(found), none=tuple(none))


def _found(
    suite: Suite, cell: Cell, planned: Sequence[PlannedRun], stored: Mapping[str, Run], settled: Collection[str]
) -> SetTarget | NoTarget:
    num_left = sum(run.key not in settled for run in planned)
    if num_left:
        return NoTarget(
            cell=cell, reason=f"{num_left} of the {len(planned)} runs of {cell.arm} that set it are to come"
        )
    assert suite.convergence
    asked = suite.convergence.targets[cell.workload_name]
    return set_target(asked, cell, {run.seed: stored[run.key] for run in planned if run.key in stored})


def with_target(cell: Cell, suite: Suite, targets: TargetFindings) -> Cell | None:
    """Return a cell with the hash of the target that judges it, if one does; None where runs have yet to set it.

    A number has a hash too: whoever changes it after looking at the runs makes them again, and leaves a trace.
    """
    asked = suite.convergence.targets.get(cell.workload_name) if suite.convergence else None
    if not isinstance(cell.measurement, ConvergenceSettings) or asked is None:
        return cell
    if asked.value is not None:
        return replace(cell, target=number_hash(asked.metric, asked.value))
    for target in targets.found:
        if _place(target.cell) == _place(cell):
            return replace(cell, target=target.hash)
    return None


def runs_of_other_targets(missing: Iterable[PlannedRun], stored: Sequence[Run]) -> tuple[Run, ...]:
    """Return the stored runs that differ in their target alone from a judged one that is not stored."""
    without = {
        _key_without_target(run, run.host): run
        for run in stored
        if isinstance(run.cell.measurement, ConvergenceSettings) and not run.cell.sets_target
    }
    if not without:
        return ()
    host = next(iter(without.values())).host
    keys = [_key_without_target(run, host) for run in missing]
    return tuple(without[key] for key in keys if key in without)


def _key_without_target(run: PlannedRun | Run, host: Host) -> str:
    return run_key(run.cell.without_target, run.seed, None, host=host, environment=run.environment, code=run.code)


def _place(cell: Cell) -> tuple[object, ...]:
    return cell.workload_name, cell.workload, cell.measurement, cell.threads
