"""The order of a report: its sections, each with tables and pictures. Every format renders the same ones."""

from evabench.claims.judgement import Judgement
from evabench.reporting.document import Document, Section, VerdictCard, VerdictGroup
from evabench.reporting.pictures.convergence import convergence_picture
from evabench.reporting.pictures.cost import phases_picture, step_time_picture
from evabench.reporting.pictures.mechanism import directions_picture, rate_picture, shares_picture
from evabench.reporting.pictures.memory import growth_picture, memory_picture, timeline_picture
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.styles import Styles, arm_styles
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.clock import clock_table
from evabench.reporting.tables.convergence import convergence_table, health_table, reached_table
from evabench.reporting.tables.cost import cost_table, phases_table, scaling_table, step_table, work_table
from evabench.reporting.tables.counts import counts_table
from evabench.reporting.tables.directions import direction_table, followed_table
from evabench.reporting.tables.mechanism import (
    METHODS,
    SIDES,
    directions_table,
    shares_table,
    step_length_table,
    term_table,
)
from evabench.reporting.tables.memory import allocation_table, device_table, growth_table, memory_table
from evabench.reporting.tables.missing import missing_table
from evabench.reporting.tables.origin import (
    conditions_table,
    host_table,
    settings_table,
    unfinished_table,
)
from evabench.reporting.tables.pairs import PAIRS, pair_lines
from evabench.reporting.tables.rate import rate_table
from evabench.reporting.tables.table import Table
from evabench.reporting.tables.tuning import tuning_sentences, tuning_table
from evabench.reporting.tables.verdicts import (
    answer,
    audit_table,
    decided_by,
    evidence_table,
    headline,
    measured,
)
from evabench.reporting.tables.visit import energy_table, side_work_table, tries_table
from evabench.reporting.warnings import warnings


def make_document(report: Report) -> Document:
    """Return everything that a page shows, made once for all formats."""
    return Document(
        report=report,
        headline=answer(report.headline) if report.headline else "",
        warnings=warnings(report),
        verdicts=verdict_groups(report),
        sections=sections(report),
        failures=unfinished_table(report),
    )


def verdict_groups(report: Report) -> tuple[VerdictGroup, ...]:
    """Return the verdicts by where their claims were made; a group without any is left out."""
    groups = (
        VerdictGroup(
            title="Claims of this suite",
            text="Stated before its runs, and judged by them alone.",
            cards=tuple(_card(judgement) for judgement in report.judgements if judgement.claim.local),
        ),
        VerdictGroup(title="Arm against arm", text=PAIRS, lines=pair_lines(report)),
        VerdictGroup(
            title="Claims of the paper",
            text=(
                "A verdict is about these machines, models and budgets. What was not run as the paper ran it is not "
                "tested as stated, whatever was measured here."
            ),
            cards=tuple(_card(judgement) for judgement in report.judgements if not judgement.claim.local),
        ),
    )
    return tuple(group for group in groups if group.cards or group.lines)


def sections(report: Report) -> tuple[Section, ...]:
    """Return the sections below the verdicts."""
    styles = arm_styles(report.suite.arms)
    found = [_workload_section(workload, styles) for workload in report.workloads]
    for family in report.families:
        found.append(
            Section(
                title="How the curvature state grows",
                text="The same net at several widths, counted byte by byte.",
                parts=_present(growth_picture(family, styles), growth_table(family)),
            )
        )
    for counted in report.findings.work_families:
        found.append(
            Section(
                title="How the work of a step grows",
                text="Equal square layers at several widths, one batch size: what the optimizer's own operators do.",
                parts=_present(work_table(counted)),
            )
        )
    for timed in report.cost_families:
        found.append(
            Section(
                title="How the cost of a step grows",
                text="Equal square layers at several widths, one batch size: what the optimizer itself adds to a step.",
                parts=_present(scaling_table(timed)),
            )
        )
    if report.findings.tuning:
        found.append(_tuning_section(report))
    found.append(
        Section(
            title="How it was measured",
            text=(
                "Each run is a fresh process. Arms are visited in alternating order, so that a pair of visits lies "
                "close in time; every arm starts from the same weights and sees the same batches."
            ),
            parts=_present(
                conditions_table(report),
                tries_table(report),
                missing_table(report),
                host_table(report),
                settings_table(report),
            ),
        )
    )
    return tuple(found)


def _tuning_section(report: Report) -> Section:
    arms, in_suite = report.findings.tuning, report.suite.arms
    where = "" if report.trials[0].host.id == report.host.id else " The trials were made on another host."
    return Section(
        title="How the settings were chosen",
        text=" ".join(tuning_sentences(arms, in_suite, report.num_trials_missing)) + where,
        parts=_present(tuning_table(arms, in_suite)),
    )


def _workload_section(workload: WorkloadReport, styles: Styles) -> Section:
    return Section(
        title=f"{workload.name}: {workload.settings.title} {workload.settings.shape}",
        text=f"Data: {workload.settings.data.replace('_', ' ')}.",
        parts=_present(
            step_time_picture(workload),
            cost_table(workload),
            step_table(workload),
            side_work_table(workload),
            energy_table(workload),
            phases_picture(workload),
            phases_table(workload),
            counts_table(workload),
            *(
                part
                for one in (workload, *workload.other_budgets)
                for part in (
                    convergence_picture(one, styles),
                    convergence_table(one),
                    reached_table(one),
                    clock_table(one),
                )
            ),
            followed_table(workload),
            direction_table(workload),
            health_table(workload),
            memory_picture(workload),
            memory_table(workload),
            timeline_picture(workload, styles),
            allocation_table(workload),
            device_table(workload),
            shares_picture(workload),
            *(shares_table(workload, side) for side in SIDES),
            directions_picture(workload),
            *(make(workload, method) for method in METHODS for make in (directions_table, term_table)),
            step_length_table(workload),
            rate_picture(workload),
            rate_table(workload),
        ),
    )


def _card(judgement: Judgement) -> VerdictCard:
    return VerdictCard(
        id=judgement.claim_id,
        verdict=judgement.here,
        headline=headline(judgement),
        text=judgement.claim.text,
        source=judgement.claim.source,
        first=" ".join(judgement.first),
        measured=measured(judgement),
        reason=judgement.reason,
        decided_by=decided_by(judgement),
        differences=judgement.differences,
        rule=judgement.claim.reason,
        evidence=evidence_table(judgement),
        audit=audit_table(judgement),
    )


def _present(*parts: Table | Picture | None) -> tuple[Table | Picture, ...]:
    return tuple(part for part in parts if part is not None)
