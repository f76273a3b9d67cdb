"""Everything that the runs of one host say, computed once: judging and reporting both read it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from evabench.findings.arm import MeasuredArm
from evabench.findings.arms import measured_arms
from evabench.findings.costs import CostFamily, cost_families
from evabench.findings.goals import Goal
from evabench.findings.public import PublicRatio
from evabench.findings.rate_checks import RateCheck, rate_checks
from evabench.findings.repeats import counting_runs
from evabench.findings.targets import TargetFindings
from evabench.findings.tuning import TunedArm, tuned_arms
from evabench.findings.widths import WidthFamily, width_families
from evabench.findings.work import WorkFamily, work_families
from evabench.records.host import Host
from evabench.records.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What some runs of one host, and of one code, come to."""

    every_run: tuple[Run, ...]  # also the tries at a disturbed sweep that do not count
    runs: tuple[Run, ...]  # those that count; among them those that set a target
    arms: tuple[MeasuredArm, ...]  # each once for each of its budgets, without the runs that set a target
    compared_arms: tuple[MeasuredArm, ...]  # timed or trained, also to another target than the one that is set now
    width_families: tuple[WidthFamily, ...]  # nets counted, each at one width or more
    cost_families: tuple[CostFamily, ...]  # nets timed at several widths
    work_families: tuple[WorkFamily, ...]  # nets whose operators were counted at several widths
    goals: Mapping[str, Goal]  # targets that are a number, by the suite's name for the workload
    targets: TargetFindings  # what runs have set
    tuning: tuple[TunedArm, ...] = ()  # what trials chose, of this host or of another one
    rate_checks: tuple[RateCheck, ...] = ()  # baselines at other learning rates
    public: tuple[PublicRatio, ...] = ()  # ours beside public implementations, from runs of other nets

    @property
    def host(self) -> Host | None:
        """Return the host of the runs; None without any."""
        return self.runs[0].host if self.runs else None

    @property
    def unfinished(self) -> tuple[Run, ...]:
        """Return the runs that crashed, were killed, ran out of memory or time, or diverged."""
        return tuple(run for run in self.runs if not run.outcome.completed)


def make_findings(
    runs: Iterable[Run],
    goals: Mapping[str, Goal] | None = None,
    targets: TargetFindings | None = None,
    trials: Iterable[Run] = (),
    ablations: Mapping[str, str] | None = None,
    public: Iterable[PublicRatio] = (),
) -> Findings:
    """Return what runs of one host and of the current code say; choosing them is the caller's business.

    `trials` are those of the tuning, which may be another host's: they choose settings, and are in no comparison. Nor
    are those behind `public`. `ablations`: arm -> the arm whose ablation the suite says that it is.
    """
    every, targets = tuple(run for run in runs if run.cell.role != "tuning"), targets or TargetFindings()
    hosts = {host.id for host in _distinct(run.host for run in every)}
    if len(hosts) > 1:
        raise ValueError(f"runs of different hosts are never pooled, got {len(hosts)}: {', '.join(sorted(hosts))}")
    versions = {str(run.environment.torch) for run in every}
    if len(versions) > 1:
        raise ValueError(f"runs with different versions of torch are never pooled, got {', '.join(sorted(versions))}")
    counting = counting_runs(every)
    arms = _said(measured_arms(counting), ablations or {})
    other = targets.other_runs
    beside = _said(measured_arms((*counting, *other)), ablations or {}) if other else arms
    return Findings(
        every_run=every,
        runs=counting,
        arms=arms,
        compared_arms=tuple(arm for arm in beside if arm.compared),
        width_families=width_families(counting),
        cost_families=cost_families(arms),
        work_families=work_families(counting),
        goals=goals or {},
        targets=targets,
        tuning=tuned_arms(trials),
        rate_checks=rate_checks(counting),
        public=tuple(public),
    )


def _said(arms: Iterable[MeasuredArm], ablations: Mapping[str, str]) -> tuple[MeasuredArm, ...]:
    """Return the arms with what the suite says of whose ablation they are."""
    return tuple(replace(arm, ablation_of=ablations.get(arm.name)) for arm in arms)


def _distinct(hosts: Iterable[Host]) -> list[Host]:
    found: list[Host] = []
    for host in hosts:
        if host not in found:
            found.append(host)
    return found
