"""A report in words, tables and pictures: what every format of a page renders."""

from dataclasses import dataclass

from evabench.claims.judgement import Verdict
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, a paragraph, and what stands below: each table after its picture, where it has one."""

    title: str
    text: str = ""
    parts: tuple[Table | Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCard:
    """A judgement in words."""

    id: str
    verdict: Verdict  # of these conditions
    headline: str
    text: str
    source: str
    first: str  # what the verdict says first: what it is not about
    measured: str
    reason: str
    decided_by: str
    differences: tuple[str, ...]
    rule: str  # which number was put to which words, and why
    evidence: Table | None
    audit: Table | None  # of the bases that decide


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGroup:
    """Verdicts of one origin: as cards, or as one line each."""

    title: str
    text: str
    cards: tuple[VerdictCard, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole page."""

    report: Report
    headline: str  # the answer to the suite's question, as sentences; empty: it asks none
    warnings: tuple[str, ...]  # what a reader has to know before the numbers
    verdicts: tuple[VerdictGroup, ...]
    sections: tuple[Section, ...]  # below the verdicts
    failures: Table | None  # the runs that did not complete
