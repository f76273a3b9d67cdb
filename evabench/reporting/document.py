"""A report in words, tables and pictures: what every format of a page renders."""

from collections.abc import Iterator
from dataclasses import dataclass

from evabench.claims.judgement import Verdict
from evabench.records.measurement import ConvergenceSettings
from evabench.reporting.cells import slug
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.report import Report
from evabench.reporting.tables.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which runs a figure rests on, and how its numbers follow from them."""

    kinds: tuple[str, ...]  # of measurement; empty: every run
    how: str  # from the raw lines to the number, in sentences
    workload: str | None = None  # None: all of them
    budget: ConvergenceSettings | None = None  # of the trainings among them; None: any
    arms: tuple[str, ...] = ()  # empty: all of them
    role: str = "judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A table or a picture, with the address by which `evabench show --id` finds where it comes from."""

    address: str
    part: Table | Picture
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a section says about one workload or one family of nets."""

    title: str  # empty: there is only this one
    text: str = ""
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One topic over all workloads."""

    id: str  # its anchor
    title: str
    short: str  # in the list of contents
    text: str = ""
    blocks: tuple[Block, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the figures of all blocks."""
        return tuple(figure for block in self.blocks for figure in block.figures)

    @property
    def parts(self) -> tuple[Table | Picture, ...]:
        """Return their tables and pictures."""
        return tuple(figure.part for figure in self.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCard:
    """A judgement in words."""

    id: str
    address: str  # its anchor
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
    audit_address: str

    @property
    def decided(self) -> bool:
        """Return whether the claim was supported or refuted here."""
        return self.verdict.decided


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGroup:
    """Verdicts of one origin: as cards, or as the rows of a table."""

    title: str
    text: str
    cards: tuple[VerdictCard, ...] = ()
    table: Table | None = None
    address: str = ""  # of the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """An interval beside the number that it is held against, as places from 0 to 100, and what lies to either side."""

    low: float
    estimate: float
    high: float
    threshold: float
    less: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A decided claim in one line."""

    id: str
    address: str  # of the card that says more
    verdict: Verdict
    verdict_words: str  # "refuted here"
    text: str
    estimate: str  # with its interval; empty: the claim has no number
    unit: str  # of what the estimate is: "as fast to the target"
    threshold: str  # "at least 1x"
    rests_on: str  # "8 pairs, 8 seeds", and what its audit denies
    first: str  # what it says first and the answer above does not; empty: nothing
    gauge: Gauge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence of the first screen about the runs themselves, with the table that its numbers come from."""

    text: str
    address: str = ""  # empty: there is no number in it
    origin: Origin | None = None
    table: Table | None = None
    rows: tuple[Origin, ...] = ()  # of each row of the table


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """What a reader sees in ten seconds."""

    answer: str  # one sentence
    behind: str  # what it rests on, why it is undecided, what it is not about; empty: the answer says it all
    address: str  # of what the answer says; empty: it says nothing
    strips: tuple[Strip, ...]
    open: tuple[str, ...]  # a line an origin of the other claims: how many are undecided, how many not tested
    picture: Figure | None  # the one that tells the story
    facts: tuple[Fact, ...]  # host, noise, when
    command: str  # that repeats it


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole page."""

    report: Report
    first: FirstScreen
    headline: str  # the answer to the suite's question, as sentences; empty: it asks none
    warnings: tuple[str, ...]  # what a reader has to know before the numbers
    verdicts: tuple[VerdictGroup, ...]
    sections: tuple[Section, ...]  # below the verdicts; with the picture of the first screen

    @property
    def figures(self) -> Iterator[Figure]:
        """Yield every figure with an address."""
        for section in self.sections:
            yield from section.figures


def address(key: str, *names: str) -> str:
    """Return an address such as "cost.mlp": letters, digits and dashes, whatever the names are."""
    return ".".join((key, *map(slug, names)))
