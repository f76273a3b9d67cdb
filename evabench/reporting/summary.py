"""The table at the end of a run: what each arm costs here, how far it came, and what the claims come to."""

from collections.abc import Iterable, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from evabench.claims.arms import MeasuredArm, measured_arms
from evabench.claims.claim import Judgement, Verdict
from evabench.claims.eva import EVA_CLAIMS
from evabench.claims.evidence import judge_claims
from evabench.records.convergence import Convergence
from evabench.records.memory import Memory
from evabench.records.run import Run
from evabench.settings.optimizers import SgdSettings
from evabench.stats.paired import paired_ratio
from evabench.suite import Suite
from evabench.units import format_bytes, format_ratio, format_seconds

_COLOURS = {Verdict.SUPPORTED: "green", Verdict.REFUTED: "red"}
_MIN_PAIRS = 6  # below it an interval is not shown


def print_summary(console: Console, suite: Suite, runs: Sequence[Run]) -> None:
    """Print one table a workload, then the verdicts."""
    arms = measured_arms(runs)
    targets = targets_of(suite)
    for name in suite.workloads:
        here = [arm for arm in arms if arm.workload_name == name]
        if here:
            console.print(_costs(suite, name, here, runs, targets.get(name)))
    judgements = judge_claims(EVA_CLAIMS, runs, targets, would_decide=_would_decide(suite))
    console.print(_verdicts(judgements))


def targets_of(suite: Suite) -> dict[str, float]:
    """Return the validation loss to reach on each workload that has one."""
    table = suite.convergence
    return {name: target.value for name, target in table.targets.items()} if table else {}


def _would_decide(suite: Suite) -> dict[str, str]:
    return {claim.id: suite.decided_by for claim in EVA_CLAIMS} if suite.decided_by else {}


def _costs(suite: Suite, name: str, arms: Sequence[MeasuredArm], runs: Sequence[Run], target: float | None) -> Table:
    title = f"{name}: {suite.workloads[name].shape}"
    if target is not None:
        title += f"; target: validation loss {target:g}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("arm")
    for heading in ("step", "step / SGD [95 %]", "peak", "curvature state", "final validation loss", "to target"):
        table.add_column(heading, justify="right")
    reference = next((arm for arm in arms if isinstance(arm.optimizer, SgdSettings)), None)
    order = list(suite.arms)
    for arm in sorted(arms, key=lambda arm: order.index(arm.arm) if arm.arm in order else len(order)):
        memory = _memory(runs, name, arm.arm)
        table.add_row(
            arm.arm,
            format_seconds(arm.amortised_seconds) if arm.amortised_seconds is not None else "-",
            _ratio(arm, reference),
            format_bytes(memory.peak.total) if memory else "-",
            format_bytes(memory.curvature_state_bytes) if memory else "-",
            _final_loss(runs, name, arm.arm),
            _to_target(arm, target),
        )
    return table


def _ratio(arm: MeasuredArm, reference: MeasuredArm | None) -> str:
    if reference is None or arm is reference:
        return "1" if arm is reference else "-"
    ratio = paired_ratio(arm.step_seconds, reference.step_seconds)
    if ratio is None:
        return "-"
    if ratio.num_pairs < _MIN_PAIRS:
        return f"{ratio.estimate:.2f}x ({ratio.num_pairs} pairs: no interval)"
    return format_ratio(ratio.estimate, ratio.low, ratio.high)


def _memory(runs: Iterable[Run], workload: str, arm: str) -> Memory | None:
    for run in runs:
        if run.cell.workload_name == workload and run.cell.arm == arm and isinstance(run.measured, Memory):
            return run.measured
    return None


def _final_loss(runs: Iterable[Run], workload: str, arm: str) -> str:
    trainings = [
        run.measured
        for run in runs
        if run.cell.workload_name == workload and run.cell.arm == arm and isinstance(run.measured, Convergence)
    ]
    losses = [training.final_validation_loss for training in trainings]
    finite = [loss for loss in losses if loss is not None]
    if not losses:
        return "-"
    diverged = f", {len(losses) - len(finite)} diverged" if len(finite) < len(losses) else ""
    return (f"{median(finite):.4f}" if finite else "none") + f" ({len(losses)} seeds{diverged})"


def _to_target(arm: MeasuredArm, target: float | None) -> str:
    seconds = arm.seconds_to(target) if target is not None and arm.trainings else None
    if seconds is None:
        return "-"
    return ", ".join(format_seconds(value) if value is not None else "missed" for value in seconds.values())


def _verdicts(judgements: Iterable[Judgement]) -> Table:
    table = Table(title="Claims of the paper", title_justify="left", box=None, pad_edge=False)
    for heading in ("claim", "as stated", "under these conditions", "why", "would be decided by"):
        table.add_column(heading, overflow="fold")
    for judgement in judgements:
        colour = _COLOURS.get(judgement.here, "yellow")
        table.add_row(
            judgement.claim_id,
            judgement.as_stated.value,
            f"[{colour}]{judgement.here.value}[/{colour}]",
            judgement.reason,
            judgement.would_decide or "-",
        )
    return table
