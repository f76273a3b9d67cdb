"""A claim as data, and what judging it yields. Nothing here measures, decides or renders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Quantity = Literal[
    "time_to_target_ratio",  # base over arm: a speed-up, judged by order statistics over seeds
    "step_time_ratio",  # arm over base, amortised, judged by trimmed log ratios over sweeps
    "curvature_growth",  # the arm's curvature state has no d^2 term in the width d, that of each base has one
    "curvature_bytes_ratio",  # arm over each base, at every counted width
    "cost_exponent",  # of the width, in the step of the arm less that of SGD
]
Relation = Literal["at_least", "at_most", "up_to", "equal_within", "not_worse_by", "exact"]
Device = Literal["cpu", "gpu"]

EXACT_QUANTITIES: frozenset[Quantity] = frozenset({"curvature_growth", "curvature_bytes_ratio"})


class Verdict(StrEnum):
    """The answers. Inconclusive is one of them; it is never a polite form of another."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedWorkload:
    """A workload that a claim names, and how it was trained there. `None`: the claim does not say, so any will do."""

    model: str  # as in the `title` of the workload's settings
    data: str
    batch: int | None = None
    arm_epochs: float | None = None
    base_epochs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement about an optimizer that measurements can support or refute."""

    id: str
    text: str  # close to the words of the source
    source: str
    quantity: Quantity
    arm: str  # the `optimizer` tag of the settings that the claim speaks for
    bases: tuple[str, ...]  # tags that it is compared with; of several measured arms the strongest decides
    relation: Relation
    value: float | None  # None only for a condition that holds or not (curvature_growth)
    reason: str  # why this quantity, this number and these conditions
    tolerance: float = 0.05  # of the ratio
    alpha: float = 0.05
    device: Device | None = None  # None: on any
    workloads: tuple[ClaimedWorkload, ...] = ()  # empty: on any

    def __post_init__(self) -> None:
        """Refuse a claim that no measurement could decide."""
        exact = self.quantity in EXACT_QUANTITIES
        if exact != (self.relation == "exact"):
            raise ValueError(f'claim {self.id}: relation "exact" is for {sorted(EXACT_QUANTITIES)}, and they for it')
        if (self.value is None) != (self.quantity == "curvature_growth"):
            raise ValueError(f"claim {self.id}: value must be a number, except for curvature_growth, which has none")
        if not self.bases:
            raise ValueError(f"claim {self.id}: bases must name at least one optimizer to compare with")
        if not 0 < self.alpha < 0.5 or not 0 <= self.tolerance < 1:
            raise ValueError(f"claim {self.id}: alpha must be in (0, 0.5), tolerance in [0, 1)")

    @property
    def number(self) -> float:
        """Return the value of a claim that has one."""
        assert self.value is not None, self.id
        return self.value


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

    @property
    def claim_id(self) -> str:
        """Return the claim's id."""
        return self.claim.id
