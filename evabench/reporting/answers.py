"""A report as data for other programs: what `--json` of verbs about stored runs prints (docs/json.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from evabench.claims.judgement import Judgement
from evabench.findings.arm import MeasuredArm
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.verdicts import answer
from evabench.reporting.warnings import warnings
from evabench.units import Bytes, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAnswer:
    """One arm on one workload at one budget. None: not measured, or too few values."""

    workload: str
    arm: str
    budget_steps: int | None
    step_seconds: Seconds | None  # amortised
    step_ratio: float | None  # over the reference arm's
    step_ratio_low: float | None  # its 95 % interval
    step_ratio_high: float | None
    num_pairs: int | None
    final_losses: tuple[float | None, ...]  # of validation, by seed; None: that seed did not get to the end
    median_final_loss: float | None  # of the seeds that got there
    steps_to_target: tuple[int | None, ...]  # by seed; None: missed
    seconds_to_target: tuple[Seconds | None, ...]
    peak_bytes: Bytes | None  # of live tensors in a step
    curvature_state_bytes: Bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """What the runs of one suite, host and torch say."""

    suite: str
    tier: str | None
    runs: str | None  # which ones, where runs of any host and code were asked for
    host: str
    processor: str
    torch: str | None
    commit: str | None
    num_runs: int
    num_missing: int
    num_unfinished: int
    warnings: tuple[str, ...]
    headline: str | None  # the answer to the suite's question, as sentences
    reference: str | None  # the arm whose step is 1
    arms: tuple[ArmAnswer, ...]
    judgements: tuple[Judgement, ...]
    pairs: tuple[Judgement, ...]  # each arm against the reference, where the suite claims nothing itself


def report_answer(report: Report) -> ReportAnswer:
    """Return a report as data."""
    return ReportAnswer(
        suite=report.suite.name,
        tier=report.suite.tier,
        runs=report.label or None,
        host=report.host.id,
        processor=report.host.cpu,
        torch=report.runs[0].environment.torch,
        commit=report.code.commit,
        num_runs=len(report.runs),
        num_missing=report.num_missing,
        num_unfinished=len(report.unfinished),
        warnings=warnings(report),
        headline=answer(report.headline) if report.headline else None,
        reference=report.workloads[0].reference if report.workloads else None,
        arms=tuple(one for workload in report.workloads for one in _arms(workload)),
        judgements=report.judgements,
        pairs=report.pairs,
    )


def _arms(workload: WorkloadReport) -> Iterator[ArmAnswer]:
    for budget in (workload, *workload.other_budgets):
        yield from (_arm(budget, arm) for arm in budget.arms)


def _arm(workload: WorkloadReport, arm: MeasuredArm) -> ArmAnswer:
    ratio = workload.step_over_reference.get(arm.name)
    ended = [loss for loss in arm.final_losses if loss is not None]
    return ArmAnswer(
        workload=workload.name,
        arm=arm.name,
        budget_steps=workload.budget.steps if workload.budget else None,
        step_seconds=arm.amortised_seconds,
        step_ratio=ratio.estimate if ratio else None,
        step_ratio_low=ratio.low if ratio and ratio.num_pairs > 1 else None,
        step_ratio_high=ratio.high if ratio and ratio.num_pairs > 1 else None,
        num_pairs=ratio.num_pairs if ratio else None,
        final_losses=arm.final_losses,
        median_final_loss=median(ended) if ended else None,
        steps_to_target=workload.steps_to_target(arm),
        seconds_to_target=workload.seconds_to_target(arm),
        peak_bytes=arm.memory.peak.total if arm.memory else None,
        curvature_state_bytes=arm.memory.curvature_state_bytes if arm.memory else None,
    )
