"""What judging a claim yields. Nothing here measures, decides or renders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from evabench.claims.audit import Audit
from evabench.settings.claims import Claim


class Verdict(StrEnum):
    """The answers. Inconclusive is one of them; it is never a polite form of another."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"

    @property
    def decided(self) -> bool:
        """Return whether it is a yes or a no."""
        return self in {Verdict.SUPPORTED, Verdict.REFUTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a verdict says first: what it is not about."""

    sentence: str  # "Eva follows the gradient (median cosine 1.0000): what was compared is a learning rate."
    clause: str  # of a headline: "about a learning rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One comparison behind a verdict. `None`: not measured, or too few values to say."""

    workload: str  # the suite's name for it; of a family of widths the name of its widest
    arm: str
    base: str  # the suite's name for this base arm; "K-FAC@10" is another base than "K-FAC@1"
    decides: bool  # False: listed beside the one that decides
    estimate: float | None = None  # never decides
    low: float | None = None  # two-sided interval, with its true level
    high: float | None = None
    level: float | None = None
    lower_bound: float | None = None  # one-sided, at the error `bound_alpha`
    upper_bound: float | None = None
    bound_alpha: float | None = None
    num_pairs: int | None = None  # of timing visits; None: this quantity needs no step times
    num_seeds: int | None = None  # of training runs; None: this quantity needs none
    num_widths: int | None = None
    differences: tuple[str, ...] = ()  # from the claim's conditions
    notes: tuple[str, ...] = ()  # sentences: misses, excluded runs, why this base decides
    warnings: tuple[str, ...] = ()  # those of them that a page says at its head
    numbers: Mapping[str, float] = field(default_factory=dict)  # named as in a record: units end the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer to one claim."""

    claim: Claim
    as_stated: Verdict  # NOT_TESTED where no run was made under the claim's conditions
    differences: tuple[str, ...]  # between the claim's conditions and these
    here: Verdict  # under these conditions; the same as `as_stated` where there are no differences
    reason: str  # one sentence, for people, about the verdict `here`
    evidence: tuple[Evidence, ...]
    would_decide: str | None  # the suite that would decide the claim as stated; None: nobody named one
    first: tuple[str, ...] = ()  # sentences that the verdict says first: what it is not about
    clauses: tuple[str, ...] = ()  # the same, as its headline has them
    audits: tuple[Audit, ...] = ()  # of the bases that decide

    @property
    def claim_id(self) -> str:
        """Return the claim's id."""
        return self.claim.id
