"""What a report says, as data: the findings of one suite, host and code, arranged by workload. Renders nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evabench.claims.evidence import judge_claims
from evabench.claims.judgement import Judgement
from evabench.claims.local import declared_claims, pairwise_claims
from evabench.findings.arm import MeasuredArm, Series
from evabench.findings.costs import CostFamily
from evabench.findings.findings import Findings, make_findings
from evabench.findings.public import PublicRatio
from evabench.findings.targets import TargetFindings, goals_of
from evabench.findings.widths import WidthFamily
from evabench.records.code import Code
from evabench.records.host import Host
from evabench.records.measurement import ConvergenceSettings, MechanismSettings
from evabench.records.run import Run
from evabench.reporting.reported_target import ReportedTarget, reported_target
from evabench.settings.claims import Claim
from evabench.settings.first_order import SgdSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.paired import PairedRatio
from evabench.suite.suite import Suite
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReport:
    """All arms on one workload, in the order of the suite; everything that was trained has one budget."""

    name: str
    settings: WorkloadSettings
    budget: ConvergenceSettings | None  # None: nothing was trained
    target: ReportedTarget | None  # None: the suite gives none, or runs have yet to set it
    reference: str | None  # the arm whose step is 1; None: no SGD in the suite
    arms: tuple[MeasuredArm, ...]
    step_over_reference: Mapping[str, PairedRatio]  # by the name of the arm; without the reference's own
    other_kernel: str | None  # the arm that is the reference by torch's other kernel, which has a ratio of its own
    step_over_other_kernel: Mapping[str, PairedRatio]
    mechanism_settings: MechanismSettings | None  # None: nothing was probed
    other_budgets: tuple["WorkloadReport", ...] = ()  # of the same workload, the longest first

    @property
    def budget_words(self) -> str:
        """Return the budget for people: "2 epochs", or "600 steps" where an epoch has no length."""
        if self.budget is None:
            return ""
        steps, an_epoch = self.budget.steps, self.settings.steps_per_epoch
        if an_epoch and steps % an_epoch == 0:
            return "1 epoch" if steps == an_epoch else f"{steps // an_epoch} epochs"
        return f"{steps} steps"

    @property
    def num_seeds(self) -> int:
        """Return the most seeds that any arm has."""
        return max((len(arm.trainings) for arm in self.arms), default=0)

    @property
    def num_pairs(self) -> int:
        """Return the most visits that any arm has."""
        return max((len(arm.visits) for arm in self.arms), default=0)

    def steps_to_target(self, arm: MeasuredArm) -> tuple[int | None, ...]:
        """Return the steps to the target by seed, None for a miss; empty without a target."""
        steps = arm.steps_to(self.target.goal) if self.target else {}
        return tuple(steps[seed] for seed in sorted(steps))

    def seconds_to_target(self, arm: MeasuredArm) -> tuple[Seconds | None, ...]:
        """Return the seconds to the target by seed, None for a miss; empty without a target or step times."""
        seconds = (arm.seconds_to(self.target.goal) if self.target else None) or {}
        return tuple(seconds[seed] for seed in sorted(seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report."""

    suite: Suite
    findings: Findings
    workloads: tuple[WorkloadReport, ...]
    judgements: tuple[Judgement, ...]  # of the suite's own claims, then of those that were made elsewhere
    pairs: tuple[Judgement, ...]  # each arm against the reference, where the suite claims nothing itself
    num_missing: int  # runs that the suite asks for and that are not stored
    num_older: int  # stored runs of older code, not used
    older: tuple[Run, ...] = ()  # those of `runs` that older code made, where such were asked for
    store_notes: tuple[str, ...] = ()  # sentences about the file of the runs
    trials: tuple[Run, ...] = ()  # of the tuning; those of another host where this one has fewer
    label: str = ""  # which runs these are, where runs of any host and code were asked for
    place: str = ""  # their file, where that was asked for

    @property
    def headline(self) -> Judgement | None:
        """Return the answer to the suite's question; None: it names none."""
        return next((one for one in self.judgements if one.claim.headline), None)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return all runs, also the tries at a disturbed sweep that do not count."""
        return self.findings.every_run

    @property
    def host(self) -> Host:
        """Return the host of all runs."""
        return self.runs[0].host

    @property
    def code(self) -> Code:
        """Return the code of the first run: all have the same sources, the commit may differ."""
        return self.runs[0].code

    @property
    def unfinished(self) -> tuple[Run, ...]:
        """Return the runs that did not complete."""
        return self.findings.unfinished

    @property
    def families(self) -> tuple[WidthFamily, ...]:
        """Return the nets that were counted at several widths."""
        return tuple(family for family in self.findings.width_families if family.num_widths > 1)

    @property
    def cost_families(self) -> tuple[CostFamily, ...]:
        """Return the nets that were timed at several widths."""
        return self.findings.cost_families

    @property
    def targets(self) -> TargetFindings:
        """Return what runs have set."""
        return self.findings.targets

    @property
    def num_trials_missing(self) -> int:
        """Return how many trials the suite asks for and are not known; none where it has no tuning."""
        tuning = self.suite.tuning
        return len(self.suite.trial_cells()) * tuning.seeds - len(self.trials) if tuning else 0

    @property
    def period(self) -> tuple[str, str]:
        """Return when the first and the last run were started, UTC."""
        started = sorted(run.started for run in self.runs)
        return started[0], started[-1]


def make_report(
    suite: Suite,
    runs: Sequence[Run],
    claims: Sequence[Claim],
    *,
    num_missing: int = 0,
    num_older: int = 0,
    older: Sequence[Run] = (),
    targets: TargetFindings | None = None,
    store_notes: tuple[str, ...] = (),
    trials: Sequence[Run] = (),
    public: Sequence[PublicRatio] = (),
) -> Report:
    """Return the report of the runs of a suite; there must be one at least, all of one host.

    Of a timing sweep that was made twice one try counts, and both are among `runs`. So are those that set a target.
    """
    assert runs, "a report needs runs"
    findings = make_findings(runs, goals_of(suite), targets, trials, suite.ablations, public)
    return Report(
        suite=suite,
        findings=findings,
        workloads=tuple(
            _workload(suite, name, findings)
            for name in suite.workloads
            if any(arm.workload_name == name for arm in findings.arms)
        ),
        judgements=judge_claims(
            (*declared_claims(suite), *claims), findings, would_decide=_would_decide(suite, claims)
        ),
        pairs=judge_claims(pairwise_claims(suite), findings),
        num_missing=num_missing,
        num_older=num_older,
        older=tuple(older),
        store_notes=store_notes,
        trials=tuple(trials),
    )


def with_claims(report: Report, claims: Sequence[Claim]) -> Report:
    """Return a report with more claims judged, behind its own."""
    more = judge_claims(claims, report.findings, would_decide=_would_decide(report.suite, claims))
    return replace(report, judgements=(*report.judgements, *more))


def _would_decide(suite: Suite, claims: Sequence[Claim]) -> dict[str, str]:
    """Return the suite that would decide each claim, by id, where that is another one."""
    suites = {claim.id: ", ".join(claim.decided_by) or suite.decided_by for claim in claims}
    return {claim: name for claim, name in suites.items() if name is not None and name != suite.name}


def _workload(suite: Suite, name: str, findings: Findings) -> WorkloadReport:
    """Return the arms at the longest budget, and those at each other budget beside it."""
    measured = [
        arm
        for arm in findings.arms
        if arm.workload_name == name
        and arm.workload == suite.workloads[name]
        and arm.optimizer == suite.arms.get(arm.name)
    ]
    found = {arm.series for arm in measured if arm.series}
    budgets: list[Series | None] = [*sorted(found, key=lambda one: (-one[0].steps, repr(one)))]
    reference = next((arm for arm, settings in suite.arms.items() if isinstance(settings, SgdSettings)), None)
    other_kernel = _other_kernel(suite, reference)

    def at(series: Series | None) -> WorkloadReport:
        budget = series[0] if series else None
        chosen = _at_budget(measured, series)
        return WorkloadReport(
            name=name,
            settings=suite.workloads[name],
            budget=budget,
            target=reported_target(suite, name, budget, findings.targets.found),
            reference=reference,
            arms=tuple(chosen[arm] for arm in suite.arms if arm in chosen),
            step_over_reference=_over(chosen, reference),
            other_kernel=other_kernel,
            step_over_other_kernel=_over(chosen, other_kernel),
            mechanism_settings=next((arm.probed_by for arm in measured if arm.probed_by), None),
        )

    first, *others = [at(series) for series in budgets or [None]]
    return replace(first, other_budgets=tuple(others))


def _other_kernel(suite: Suite, reference: str | None) -> str | None:
    """Return the arm that differs from the reference by its kernel alone: torch's one for all parameters, or not."""
    base = suite.arms.get(reference or "")
    if not isinstance(base, SgdSettings):
        return None
    other = replace(base, fused=not base.fused)
    return next((arm for arm, settings in suite.arms.items() if settings == other), None)


def _at_budget(measured: Sequence[MeasuredArm], series: Series | None) -> dict[str, MeasuredArm]:
    """Return the arms by name; one that was not trained to this budget still has its step times."""
    chosen: dict[str, MeasuredArm] = {}
    for arm in measured:
        if series is not None and arm.series == series:
            chosen[arm.name] = arm
        else:
            chosen.setdefault(arm.name, replace(arm, budget=None, trainings={}))
    return chosen


def _over(arms: Mapping[str, MeasuredArm], reference: str | None) -> dict[str, PairedRatio]:
    """Return each arm's step over the reference's, of those that were timed in the same sweeps."""
    base = arms.get(reference or "")
    if base is None:
        return {}
    ratios = {name: arm.step_over(base) for name, arm in arms.items() if arm is not base}
    return {name: ratio for name, ratio in ratios.items() if ratio is not None}
