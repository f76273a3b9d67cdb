"""Claims with their verdicts, what differs, what would decide them and how long that takes on this host."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evabench.claims.deciding import Deciders, deciders
from evabench.claims.judgement import Judgement
from evabench.claims.more_runs import more_runs
from evabench.claims.reading import ClaimFile
from evabench.reporting.tables.estimate import cost_words
from evabench.reporting.tables.headlines import headline
from evabench.reporting.tables.table import counted
from evabench.reporting.tables.verdicts import audit_counts, audit_reasons, measured
from evabench.runner.cost import Cost
from evabench.settings.claims import Claim
from evabench.settings.methods import title_of
from evabench.suite.suite import Suite

CostOf = Callable[[Suite], Cost]
_MAX_SUITES = 3  # that are named for a claim which they do not decide as stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """One size of a suite that could judge a claim."""

    suite: str
    tier: str | None
    as_stated: bool  # under the claim's own conditions
    cost: Cost

    @property
    def words(self) -> str:
        """Return "cifar --tier paper (about 3.0 h)"."""
        size = self.suite if self.tier is None else f"{self.suite} --tier {self.tier}"
        return f"{size} ({cost_words(self.cost.seconds, self.cost.num_unknown, self.cost.num_runs)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The runs that would decide a claim of the suite, if the noise stays what it is: a guess."""

    num_pairs: int | None  # None: it needs no timing
    num_seeds: int | None  # None: it needs no training
    is_tie: bool  # even these would not be enough
    cost: Cost  # what of them is not stored yet, on this host

    @property
    def words(self) -> str:
        """Return the guess as a sentence."""
        counts = ((self.num_pairs, "sweep"), (self.num_seeds, "seed"))
        runs = " and ".join(counted(number, what) for number, what in counts if number is not None)
        if self.is_tie:
            return f"The two are so close that even {runs} would not decide it at this noise."
        cost = cost_words(self.cost.seconds, self.cost.num_unknown, self.cost.num_runs)
        return (
            f"At this noise about {runs} would decide it; what is missing takes here, one run after the other: {cost}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One claim: what was said, and what is known of it here."""

    claim: Claim
    judgement: Judgement | None  # None: no runs were asked
    deciders: tuple[Decider, ...]
    lacking: tuple[str, ...]  # why no suite that ships decides it as stated
    more: Wanted | None  # of a claim of the suite: how many runs would decide it

    @property
    def is_open(self) -> bool:
        """Return whether more runs would help."""
        return self.judgement is None or not self.judgement.here.decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The claims of one source, or of one suite."""

    title: str
    entries: tuple[Entry, ...]


def ledger(files: Sequence[ClaimFile], sizes: Sequence[Suite], cost_of: CostOf) -> tuple[Group, ...]:
    """Return all claims that ship, asked of no runs."""
    return tuple(
        Group(title=file.title, entries=tuple(_entry(claim, None, sizes, cost_of) for claim in file.claims))
        for file in files
    )


def judged(
    judgements: Sequence[Judgement], suite: Suite, files: Sequence[ClaimFile], sizes: Sequence[Suite], cost_of: CostOf
) -> tuple[Group, ...]:
    """Return judgements by where their claims were made: the suite's own first, then file by file."""
    own = tuple(_own(one, suite, cost_of) for one in judgements if one.claim.local)
    groups = [Group(title="Claims of this suite", entries=own)]
    for file in files:
        found = [one for one in judgements if one.claim in file.claims]
        entries = tuple(_entry(one.claim, one, sizes, cost_of) for one in found)
        groups.append(Group(title=file.title, entries=entries))
    return tuple(group for group in groups if group.entries)


def entry_lines(entry: Entry) -> Iterator[str]:
    """Yield an entry as lines of text, the verdict first."""
    claim, judgement = entry.claim, entry.judgement
    yield f"{claim.id}: {headline(judgement) if judgement else _asked(claim)}"
    yield claim.text
    yield from _source(claim)
    if judgement is not None:
        told = (
            *judgement.first,
            measured(judgement),
            judgement.reason,
            audit_counts(judgement),
            *audit_reasons(judgement),
        )
        yield from (sentence for sentence in told if sentence)
        if judgement.differences:
            yield f"Differs from the claim: {'; '.join(judgement.differences)}."
        yield from _bounds(judgement)
    if entry.more is not None:
        yield entry.more.words
    if entry.is_open:
        yield from entry.lacking
        for as_stated, words in ((True, "As stated"), (False, "Under its own conditions")):
            named = [one.words for one in entry.deciders if one.as_stated is as_stated]
            if named:
                yield f"{words} it is decided by, with the time on this host: {'; '.join(named)}."


def _asked(claim: Claim) -> str:
    """Return what it compares: "Muon against AdamW"."""
    return f"{title_of(claim.arm)} against {' or '.join(map(title_of, claim.bases))}"


def _source(claim: Claim) -> Iterator[str]:
    if claim.local:
        return
    read = f", read in {claim.read_in}" if claim.read_in else ""
    words = f'"{claim.words}"' if claim.words else "its exact words could not be read"
    yield f"{claim.source}{read}: {words}"


def _bounds(judgement: Judgement) -> Iterator[str]:
    """Yield what each deciding comparison rests on."""
    for one in judgement.evidence:
        if one.decides and one.lower_bound is not None and one.upper_bound is not None and one.bound_alpha is not None:
            counts = ((one.num_pairs, "pair"), (one.num_seeds, "seed"), (one.num_widths, "width"))
            rests = ", ".join(counted(number, what) for number, what in counts if number is not None)
            yield (
                f"{one.arm} against {one.base} on {one.workload}: at {one.bound_alpha:.0%} error each, at least "
                f"{one.lower_bound:.3g} and at most {one.upper_bound:.3g} ({rests or 'counted'})."
            )


def _own(judgement: Judgement, suite: Suite, cost_of: CostOf) -> Entry:
    found = more_runs(judgement)
    wanted = None
    if found is not None:
        cost = cost_of(found.of(suite))
        wanted = Wanted(num_pairs=found.num_pairs, num_seeds=found.num_seeds, is_tie=found.is_tie, cost=cost)
    return Entry(claim=judgement.claim, judgement=judgement, deciders=(), lacking=(), more=wanted)


def _entry(claim: Claim, judgement: Judgement | None, sizes: Sequence[Suite], cost_of: CostOf) -> Entry:
    known = deciders(claim, sizes) if sizes else Deciders(as_stated=(), here=(), lacking=())
    is_open = judgement is None or not judgement.here.decided
    asked = (*((size, True) for size in known.as_stated), *((size, False) for size in known.here[:_MAX_SUITES]))
    found = tuple(_decider(size, as_stated, cost_of) for size, as_stated in asked if is_open)
    return Entry(claim=claim, judgement=judgement, deciders=found, lacking=known.lacking, more=None)


def _decider(size: Suite, as_stated: bool, cost_of: CostOf) -> Decider:
    return Decider(suite=size.name, tier=size.tier, as_stated=as_stated, cost=cost_of(size))
