"""What a report says, as data: the runs of one suite, host and code, arranged by workload and arm. Renders nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from evabench.claims.claim import Judgement
from evabench.claims.curvature import WidthFamily, width_families
from evabench.claims.eva import EVA_CLAIMS
from evabench.claims.evidence import judge_claims
from evabench.claims.scaling import SUITE as SCALING_SUITE
from evabench.claims.scaling import CostFamily, cost_families
from evabench.findings.arms import MeasuredArm, Series, measured_arms
from evabench.findings.repeats import counting_runs
from evabench.records.convergence import Convergence
from evabench.records.health import Health
from evabench.records.host import Code, Host
from evabench.records.measurement import ConvergenceSettings, MechanismSettings
from evabench.records.mechanism import Mechanism
from evabench.records.memory import Memory
from evabench.records.phases import Phases
from evabench.records.rate import Rate
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.records.step_time import StepTime, WarmUp
from evabench.reporting.tables.targets import ReportedTarget, numbers_of, reported_target
from evabench.runner.targets import TargetFindings
from evabench.settings.first_order import SgdSettings
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.workloads import WorkloadSettings
from evabench.stats.paired import PairedRatio, paired_ratio
from evabench.stats.rates import BestRate, best_rate
from evabench.stats.time_to_target import Goal
from evabench.suite.suite import Suite
from evabench.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmReport:
    """One arm on one workload. `None` and empty: not measured."""

    name: str
    optimizer: OptimizerSettings
    measured: MeasuredArm | None  # None: neither timed nor trained
    visits: tuple[StepTime, ...]  # the pilot is not one
    first_step_seconds: Seconds | None  # of the pilot, with what is made once
    step_over_reference: PairedRatio | None
    phases: Phases | None
    memory: Memory | None
    healths: tuple[Health, ...]  # one a run of an optimizer that says so
    preconditioned_share: float | None  # of the trained parameters
    trainings: tuple[Convergence, ...]  # by seed; those that did not complete too, as far as they got
    seconds_to_target: tuple[Seconds | None, ...]  # by seed; None: missed
    steps_to_target: tuple[int | None, ...]
    mechanisms: tuple[Mechanism, ...]  # by seed
    has_rates: bool  # whether learning rates were tried on a quadratic
    best_rate: BestRate | None  # None: not tried, or the loss fell at none of them in every seed

    @property
    def amortised_seconds(self) -> Seconds | None:
        """Return the step time with its share of a refresh."""
        return self.measured.amortised_seconds if self.measured else None

    @property
    def plain_seconds(self) -> Seconds | None:
        """Return the median step that does not refresh, the median over visits."""
        return median(visit.plain_seconds for visit in self.visits) if self.visits else None

    @property
    def slowest_seconds(self) -> Seconds | None:
        """Return the median of the slowest position in the cycle: the refresh, where there is one."""
        return median(max(visit.position_seconds) for visit in self.visits) if self.visits else None

    @property
    def p99_seconds(self) -> Seconds | None:
        """Return the 99 % quantile of all timed steps."""
        steps = [seconds for visit in self.visits for seconds in visit.step_seconds]
        return float(np.quantile(steps, 0.99)) if steps else None

    @property
    def latency_seconds(self) -> Seconds | None:
        """Return the median step with the device awaited behind it, the median over visits; None on a CPU."""
        found = [median(visit.latency_seconds) for visit in self.visits if visit.latency_seconds]
        return median(found) if found else None

    @property
    def num_steps(self) -> int:
        """Return how many steps were timed."""
        return sum(len(visit.step_seconds) for visit in self.visits)

    @property
    def final_losses(self) -> tuple[float | None, ...]:
        """Return the validation loss at the end of each budget; None: it did not get there."""
        return tuple(training.final_validation_loss for training in self.trainings)

    @property
    def test_losses(self) -> tuple[float | None, ...]:
        """Return the test loss of each seed, evaluated once."""
        return tuple(training.test_loss for training in self.trainings)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReport:
    """All arms on one workload, in the order of the suite; everything that was trained has one budget."""

    name: str
    settings: WorkloadSettings
    budget: ConvergenceSettings | None  # None: nothing was trained
    target: ReportedTarget | None  # None: the suite gives none, or runs have yet to set it
    reference: str | None  # the arm whose step is 1; None: no SGD in the suite
    arms: tuple[ArmReport, ...]
    mechanism_settings: MechanismSettings | None  # None: nothing was probed
    other_budgets: tuple["WorkloadReport", ...] = ()  # of the same workload, the longest first

    @property
    def budget_words(self) -> str:
        """Return the budget for people: "2 epochs", or "600 steps" where an epoch has no length."""
        if self.budget is None:
            return ""
        steps, an_epoch = self.budget.steps, self.settings.steps_an_epoch
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report."""

    suite: Suite
    host: Host
    code: Code  # of the first run: all have the same sources, the commit may differ
    workloads: tuple[WorkloadReport, ...]
    families: tuple[WidthFamily, ...]  # nets counted at several widths
    cost_families: tuple[CostFamily, ...]  # nets timed at several widths
    judgements: tuple[Judgement, ...]
    unfinished: tuple[Run, ...]  # crashed, killed, out of memory, out of time, or diverged
    runs: tuple[Run, ...]  # all, also the tries at a disturbed sweep that do not count
    num_missing: int  # runs that the suite asks for and that are not stored
    num_older: int  # stored runs of older code, not used
    targets: TargetFindings
    store_notes: tuple[str, ...] = ()  # sentences about the file of the runs

    @property
    def period(self) -> tuple[str, str]:
        """Return when the first and the last run were started, UTC."""
        started = sorted(run.started for run in self.runs)
        return started[0], started[-1]


def make_report(
    suite: Suite,
    runs: Sequence[Run],
    *,
    num_missing: int = 0,
    num_older: int = 0,
    targets: TargetFindings | None = None,
    store_notes: tuple[str, ...] = (),
) -> Report:
    """Return the report of the runs of a suite; there must be one at least, all of one host.

    Of a timing sweep that was made twice one try counts, and both are among `runs`. So are those that set a target.
    """
    assert runs, "a report needs runs"
    targets = targets or TargetFindings()
    every, runs = runs, counting_runs(runs)
    judged = [run for run in runs if not run.cell.sets_target]
    suites = {
        claim.id: SCALING_SUITE if claim.quantity == "cost_exponent" else suite.decided_by for claim in EVA_CLAIMS
    }
    would_decide = {claim: name for claim, name in suites.items() if name not in {None, suite.name}}
    return Report(
        suite=suite,
        host=runs[0].host,
        code=runs[0].code,
        workloads=tuple(
            _workload(suite, name, judged, targets.found)
            for name in suite.workloads
            if any(run.cell.workload_name == name for run in judged)
        ),
        families=tuple(family for family in width_families(runs) if _num_widths(family) > 1),
        cost_families=cost_families(runs),
        judgements=judge_claims(
            EVA_CLAIMS,
            (*judged, *targets.other_runs),
            numbers_of(suite),
            set_targets=targets.found,
            would_decide=would_decide,
        ),
        unfinished=tuple(run for run in runs if not run.outcome.completed),
        runs=tuple(every),
        num_missing=num_missing,
        num_older=num_older,
        targets=targets,
        store_notes=store_notes,
    )


def _num_widths(family: WidthFamily) -> int:
    return max(len(arm.curvature_bytes) for arm in family.arms)


def _workload(suite: Suite, name: str, runs: Sequence[Run], set_targets: Sequence[SetTarget]) -> WorkloadReport:
    """Return the arms at the longest budget, and those at each other budget beside it."""
    here = [
        run
        for run in runs
        if run.cell.workload_name == name
        and run.cell.workload == suite.workloads[name]
        and run.cell.optimizer == suite.arms.get(run.cell.arm)
    ]
    measured = measured_arms(here)
    found = {arm.series for arm in measured if arm.series}
    budgets: list[Series | None] = [*sorted(found, key=lambda one: (-one[0].steps, repr(one)))]
    reference = next((arm for arm, settings in suite.arms.items() if isinstance(settings, SgdSettings)), None)
    probes = (run.cell.measurement for run in here if isinstance(run.cell.measurement, MechanismSettings))
    mechanism = next(probes, None)

    def at(series: Series | None) -> WorkloadReport:
        budget = series[0] if series else None
        target = reported_target(suite, name, budget, set_targets)
        chosen = _at_budget(measured, series)
        return WorkloadReport(
            name=name,
            settings=suite.workloads[name],
            budget=budget,
            target=target,
            reference=reference,
            arms=tuple(
                _arm(of_arm, chosen.get(arm), chosen.get(reference or ""), target.goal if target else None)
                for arm in suite.arms
                if (of_arm := [run for run in here if run.cell.arm == arm])
            ),
            mechanism_settings=mechanism,
        )

    first, *others = [at(series) for series in budgets or [None]]
    return replace(first, other_budgets=tuple(others))


def _at_budget(measured: Sequence[MeasuredArm], series: Series | None) -> dict[str, MeasuredArm]:
    """Return the arms by name; one that was not trained to this budget still has its step times."""
    chosen: dict[str, MeasuredArm] = {}
    for arm in measured:
        if series is not None and arm.series == series:
            chosen[arm.arm] = arm
        else:
            chosen.setdefault(arm.arm, replace(arm, budget=None, trainings={}))
    return chosen


def _arm(
    runs: Sequence[Run], measured: MeasuredArm | None, reference: MeasuredArm | None, goal: Goal | None
) -> ArmReport:
    trainings = measured.trainings if measured else {}
    seeds = sorted(trainings)
    steps = measured.steps_to(goal) if measured and goal else {}
    seconds = (measured.seconds_to(goal) if measured and goal else None) or {}
    trials = {run.seed: run.measured.trials for run in runs if isinstance(run.measured, Rate)}
    return ArmReport(
        name=runs[0].cell.arm,
        optimizer=runs[0].cell.optimizer,
        measured=measured,
        visits=measured.visits if measured else (),
        first_step_seconds=next(
            (run.measured.first_step_seconds for run in runs if isinstance(run.measured, WarmUp)), None
        ),
        step_over_reference=_over(measured, reference),
        phases=next((run.measured for run in runs if isinstance(run.measured, Phases)), None),
        memory=next((run.measured for run in runs if isinstance(run.measured, Memory)), None),
        healths=tuple(run.health for run in runs if run.health),
        preconditioned_share=next(
            (run.preconditioned_share for run in runs if run.preconditioned_share is not None), None
        ),
        trainings=tuple(
            run.measured for run in (trainings[seed] for seed in seeds) if isinstance(run.measured, Convergence)
        ),
        seconds_to_target=tuple(seconds[seed] for seed in seeds if seed in seconds),
        steps_to_target=tuple(steps[seed] for seed in seeds if seed in steps),
        mechanisms=tuple(
            run.measured for run in sorted(runs, key=lambda run: run.seed) if isinstance(run.measured, Mechanism)
        ),
        has_rates=bool(trials),
        best_rate=best_rate(trials) if trials else None,
    )


def _over(arm: MeasuredArm | None, reference: MeasuredArm | None) -> PairedRatio | None:
    if arm is None or reference is None or arm is reference:
        return None
    return paired_ratio(arm.step_seconds, reference.step_seconds)
