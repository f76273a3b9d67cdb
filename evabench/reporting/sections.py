"""The order of a report: its sections, each with tables and pictures. Every format renders the same ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from evabench.reporting.cards import verdict_groups
from evabench.reporting.document import Block, Document, Figure, Origin, Section, address
from evabench.reporting.first_screen import first_screen
from evabench.reporting.pictures.convergence import profile_picture
from evabench.reporting.pictures.growth import cost_growth_picture, work_growth_picture
from evabench.reporting.pictures.memory import growth_picture
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.styles import Looks, arm_looks
from evabench.reporting.pictures.tuning import budget_picture, sensitivity_picture
from evabench.reporting.report import Report, WorkloadReport
from evabench.reporting.tables.audits import audits_table
from evabench.reporting.tables.cost import scaling_table, work_table
from evabench.reporting.tables.decomposition import decomposition_table
from evabench.reporting.tables.health import healths_table, is_unhealthy
from evabench.reporting.tables.memory import growth_table
from evabench.reporting.tables.missing import missing_table
from evabench.reporting.tables.origin import conditions_table, host_table, settings_table, unfinished_table
from evabench.reporting.tables.table import Table
from evabench.reporting.tables.tuning import tuning_sentences, tuning_table
from evabench.reporting.tables.unrun import unrun_table
from evabench.reporting.tables.verdicts import answer
from evabench.reporting.tables.visit import tries_table
from evabench.reporting.topics import CONVERGENCE, COST, HEALTH, MECHANISM, MEMORY, REACHED, Made, Topic
from evabench.reporting.warnings import warnings

_EVERY = Origin(kinds=(), how="Read from every run, as it is stored.")
_TRIALS = Origin(
    kinds=("convergence",), role="tuning", how="The final validation loss of each trial, the median over tuning seeds."
)
_MANY_WORKLOADS = 3  # beyond, a table of each says the same many times
_TOLD = "The columns are those of the first such table above."
_TARGETS = "The time or the steps to the target of each seed, over the least of the arms that are compared."


def make_document(report: Report) -> Document:
    """Return everything that a page shows, made once for all formats."""
    found = sections(report)
    return Document(
        report=report,
        first=first_screen(report, found),
        headline=answer(report.headline) if report.headline else "",
        warnings=warnings(report),
        verdicts=verdict_groups(report),
        sections=found,
    )


def sections(report: Report) -> tuple[Section, ...]:
    """Return the sections below the verdicts; one that would be empty is left out."""
    looks = arm_looks(report.suite.arms)
    found = (
        _topic(report, looks, COST, _cost_families(report, looks)),
        _topic(report, looks, MEMORY, _growth(report, looks)),
        _topic(report, looks, CONVERGENCE),
        _topic(report, looks, REACHED),
        _decomposition(report),
        _tuning(report, looks),
        _profile(report, looks),
        _topic(report, looks, MECHANISM),
        _audit(report),
        _health(report, looks),
        _failures(report),
        _conditions(report),
    )
    return _with_own_addresses(tuple(section for section in found if section.figures))


def _topic(
    report: Report,
    looks: Looks,
    topic: Topic,
    more: Iterable[Block] = (),
    shown: Sequence[WorkloadReport] | None = None,
) -> Section:
    several = len(report.workloads) > 1
    blocks = [
        Block(
            title=f"{workload.name}: {workload.settings.title} {workload.settings.shape}" if several else "",
            text=f"Data: {workload.settings.data.replace('_', ' ')}." if several else "",
            figures=tuple(_figures(workload, looks, topic.figures)),
        )
        for workload in (report.workloads if shown is None else shown)
    ]
    text = topic.text
    if not several and report.workloads:
        (one,) = report.workloads
        data = one.settings.data.replace("_", " ")
        text = f"{one.name}: {one.settings.title} {one.settings.shape}. Data: {data}. {text}".rstrip()
    found = [block for block in (*more, *blocks) if block.figures]  # what all widths say together before each of them
    return Section(id=topic.id, title=topic.title, short=topic.short, text=text, blocks=tuple(_told_once(found)))


def _told_once(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the blocks; of many, a note that stood below an earlier table already is not repeated."""
    told: set[str] = set()

    def own(figure: Figure) -> Figure:
        if not isinstance(figure.part, Table) or figure.part.note not in told:
            return figure
        return replace(figure, part=replace(figure.part, note=_TOLD))

    for block in blocks:
        yield replace(block, figures=tuple(map(own, block.figures))) if len(blocks) > _MANY_WORKLOADS else block
        told |= {figure.part.note for figure in block.figures if isinstance(figure.part, Table) and figure.part.note}


def _figures(workload: WorkloadReport, looks: Looks, rows: tuple[Made, ...]) -> Iterator[Figure]:
    """Yield the figures of a workload; those of trainings for one budget after the other."""
    once = [row for row in rows if not row.at_each_budget]
    yield from (figure for row in once if (figure := _made(row, workload, looks, workload.name)) is not None)
    for one in (workload, *workload.other_budgets):
        names = (one.name, one.budget_words) if workload.other_budgets else (one.name,)
        each = [row for row in rows if row.at_each_budget]
        yield from (figure for row in each if (figure := _made(row, one, looks, *names)) is not None)


def _made(row: Made, workload: WorkloadReport, looks: Looks, *names: str) -> Figure | None:
    part = row.make(workload, looks)
    if part is None:
        return None
    origin = Origin(
        kinds=row.kinds,
        how=row.how,
        workload=workload.name,
        budget=workload.budget if row.at_each_budget else None,
        arms=tuple(arm.name for arm in workload.arms),
    )
    return Figure(address=address(row.key, *names), part=part, origin=origin)


def _placed(origin: Origin, **parts: Table | Picture | None) -> tuple[Figure, ...]:
    return tuple(Figure(address=key.replace("_", "-"), part=part, origin=origin) for key, part in parts.items() if part)


def _growth(report: Report, looks: Looks) -> Iterator[Block]:
    origin = Origin(kinds=("memory",), how="Counted in one run at each width; the growth is an exact polynomial.")
    for number, family in enumerate(report.families, start=1):
        parts = {f"growth_{number}": growth_picture(family, looks), f"growth_table_{number}": growth_table(family)}
        yield Block(
            title=f"How the curvature state grows: {family.name}",
            text="The same net at several widths, counted byte by byte.",
            figures=_placed(origin, **parts),
        )


def _cost_families(report: Report, looks: Looks) -> Iterator[Block]:
    work = Origin(kinds=("counts",), how="Flops and bytes of one cycle, counted at each width.")
    cost = Origin(kinds=("step_time",), how="The differences to SGD within a sweep, trimmed means at each width.")
    for number, counted in enumerate(report.findings.work_families, start=1):
        yield Block(
            title=f"How the work of a step grows: {counted.name}",
            text="Equal square layers at several widths, one batch size: what the optimizer's own operators do.",
            figures=_placed(
                work,
                **{f"work_growth_{number}": work_growth_picture(counted, looks), f"work_{number}": work_table(counted)},
            ),
        )
    for number, timed in enumerate(report.cost_families, start=1):
        yield Block(
            title=f"How the cost of a step grows: {timed.name}",
            text="Equal square layers at several widths, one batch size: what the optimizer itself adds to a step.",
            figures=_placed(
                cost,
                **{
                    f"cost_growth_{number}": cost_growth_picture(timed, looks),
                    f"scaling_{number}": scaling_table(timed),
                },
            ),
        )


def _decomposition(report: Report) -> Section:
    origin = Origin(
        kinds=("convergence", "step_time"),
        how="By seed: log(steps of the base / of the arm), log(step time / step time), and what the own clocks add.",
    )
    return _section(
        "decomposition",
        "What a speed-up is made of",
        "Decomposition",
        "",
        _placed(origin, decomposition=decomposition_table(report)),
    )


def _tuning(report: Report, looks: Looks) -> Section:
    arms, in_suite = report.findings.tuning, report.suite.arms
    if not arms:
        return _section("tuning", "How the settings were chosen", "Tuning", "", ())
    where = "" if report.trials[0].host.id == report.host.id else " The trials were made on another host."
    return _section(
        "tuning",
        "How the settings were chosen",
        "Tuning",
        " ".join(tuning_sentences(arms, in_suite, report.num_trials_missing)) + where,
        _placed(
            _TRIALS,
            tuning=tuning_table(arms, in_suite),
            sensitivity=sensitivity_picture(arms, looks),
            budget=budget_picture(arms, looks),
        ),
    )


def _profile(report: Report, looks: Looks) -> Section:
    return _section(
        "profile",
        "How often an arm is near the best",
        "Profile",
        "A performance profile over workloads and seeds: which share of them an arm reached within so many times what "
        "the best of the arms shown took. It changes with the arms that are shown.",
        _placed(
            Origin(kinds=("convergence", "step_time"), how=_TARGETS),
            profile=profile_picture(report, looks),
        ),
    )


def _audit(report: Report) -> Section:
    origin = Origin(kinds=(), how="Ten questions about each base, from stored runs alone (claims/audit.py).")
    return _section("audit", "Baseline audit", "Audit", "", _placed(origin, audit=audits_table(report)))


def _health(report: Report, looks: Looks) -> Section:
    """Return the health of each workload; of many together, and apart only where an optimizer tells of trouble."""
    if len(report.workloads) <= _MANY_WORKLOADS:
        return _topic(report, looks, HEALTH)
    origin = Origin(kinds=(), how="Sums over all runs of an arm, on all workloads.")
    together = Block(title="", figures=_placed(origin, health=healths_table(report.workloads)))
    return _topic(report, looks, HEALTH, (together,), tuple(filter(is_unhealthy, report.workloads)))


def _failures(report: Report) -> Section:
    return _section(
        "failures",
        "What failed and what is missing",
        "Failures",
        "",
        _placed(_EVERY, failures=unfinished_table(report), unrun=unrun_table(report), missing=missing_table(report)),
    )


def _conditions(report: Report) -> Section:
    return _section(
        "conditions",
        "How it was measured",
        "Conditions",
        "Each run is a fresh process. Arms are visited in alternating order, so that a pair of visits lies close in "
        "time; every arm starts from the same weights and sees the same batches.",
        _placed(
            _EVERY,
            conditions=conditions_table(report),
            tries=tries_table(report),
            host=host_table(report),
            settings=settings_table(report),
        ),
    )


def _section(anchor: str, title: str, short: str, text: str, figures: tuple[Figure, ...]) -> Section:
    return Section(id=anchor, title=title, short=short, text=text, blocks=(Block(title="", figures=figures),))


def _with_own_addresses(found: tuple[Section, ...]) -> tuple[Section, ...]:
    """Return the sections with a number behind each address that another figure has already."""
    seen: Counter[str] = Counter()

    def own(figure: Figure) -> Figure:
        seen[figure.address] += 1
        count = seen[figure.address]
        return figure if count == 1 else replace(figure, address=f"{figure.address}-{count}")

    return tuple(
        replace(
            section,
            blocks=tuple(replace(block, figures=tuple(map(own, block.figures))) for block in section.blocks),
        )
        for section in found
    )
