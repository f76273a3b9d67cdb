"""A claim: a statement about an optimizer that measurements can support or refute, as data.

A suite's own claims (`[[claims]]`) name arms and workloads of that suite and are judged there alone. Those of a claim
file, such as Eva's, name optimizers by their tags and say under which conditions they were made.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Lt
from pydantic import Field

from evabench.settings.bounds import Count, Decay, check_bounds, field_names
from evabench.settings.choices import Precision
from evabench.settings.strict import Strict

Quantity = Literal[
    "time_to_target_ratio",  # base over arm: a speed-up
    "steps_to_target_ratio",  # base over arm
    "step_time_ratio",  # arm over base, amortised
    "tensor_peak_ratio",  # arm over base, counted: most bytes of live tensors in a step
    "validation_loss_ratio",  # arm over base, at the end of the budget or at `step`
    "validation_loss_difference",  # base - arm, for losses that can be 0 or below: positive is better
    "validation_accuracy_difference",  # arm - base, a share: positive is better
    "curvature_growth",  # the arm's curvature state has no d^2 term in the width d, that of each base has one
    "curvature_bytes_ratio",  # arm over each base, at every counted width
    "work_growth",  # the degree in the width d of the flops, and of the bytes moved, of the arm's own operators
    "cost_exponent",  # of the width, in the step of the arm less that of SGD
]
Relation = Literal["at_least", "at_most", "up_to", "equal_within", "not_worse_by", "exact"]
Device = Literal["cpu", "gpu"]
# Of several bases: the one that is best in runs that are not judged, else all of them; or all of them in any case.
Deciding = Literal["best_tuned", "every"]

OneSided = Annotated[float, Gt(0), Lt(0.5)]  # the error of one bound
_RATIO: tuple[Relation, ...] = ("at_least", "at_most", "up_to", "equal_within")
_RELATIONS: dict[Quantity, tuple[Relation, ...]] = {
    "time_to_target_ratio": _RATIO,
    "steps_to_target_ratio": _RATIO,
    "step_time_ratio": _RATIO,
    "tensor_peak_ratio": _RATIO,
    "validation_loss_ratio": (*_RATIO, "not_worse_by"),
    "validation_loss_difference": ("not_worse_by",),
    "validation_accuracy_difference": ("not_worse_by",),
    "curvature_growth": ("exact",),
    "curvature_bytes_ratio": ("exact",),
    "work_growth": ("exact",),
    "cost_exponent": ("at_least", "at_most"),
}
TO_TARGET: tuple[Quantity, ...] = ("time_to_target_ratio", "steps_to_target_ratio")
VALIDATION: tuple[Quantity, ...] = (
    "validation_loss_ratio",
    "validation_loss_difference",
    "validation_accuracy_difference",
)
TRAINED = (*TO_TARGET, *VALIDATION)  # what rests on trainings
MIN_SEEDS = 8  # with fewer, nothing that rests on trainings is supported or refuted


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedWorkload(Strict):
    """What a claim was made on, and how it was trained there. `None`: the claim does not say, so any will do."""

    model: str  # as in the `title` of the workload's settings
    data: str
    batch: Count | None = None
    precision: Precision | None = None  # in which the passes are computed
    arm_epochs: float | None = None
    base_epochs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Strict):
    """One statement, with a number for every word that needs one."""

    id: str
    text: str  # close to the words of the source
    source: str = "this suite"
    words: str | None = None  # the source's own, letter by letter; None: nobody could read them
    read_in: str | None = None  # where these words were read, if not in the source itself
    quantity: Quantity
    arm: str  # an arm of the suite; in a claim file the tag or method (`settings/methods.py`) that it speaks for
    bases: Annotated[tuple[str, ...], Field(min_length=1)]  # what it is compared with, named in the same way
    deciding: Deciding = "best_tuned"
    workloads: tuple[str, ...] = ()  # of the suite; empty: all of them. A claim file has conditions instead
    relation: Relation
    value: float | None = None  # None only for a condition that holds or not (curvature_growth)
    tolerance: Decay = 0.05  # of a ratio
    alpha: OneSided = 0.05
    step: Count | None = None  # of the validation that is compared; None: the end of each arm's own budget
    device: Device | None = None  # None: on any
    conditions: tuple[ClaimedWorkload, ...] = ()  # empty: on any workload
    reason: str  # why this quantity, this number and these conditions
    decided_by: tuple[str, ...] = ()  # the suites that ship and that can decide it as stated
    headline: bool = False  # the one that a page begins with
    local: Annotated[bool, Field(init=False)] = False  # stands in a suite, and is judged by its runs alone

    def __post_init__(self) -> None:
        """Refuse a claim that no measurement could decide, with everything that is wrong with it."""
        check_bounds(self)
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def number(self) -> float:
        """Return the value of a claim that has one."""
        assert self.value is not None, self.id
        return self.value

    @property
    def num_workloads(self) -> int:
        """Return k: how many workloads it names; 0: it is about any."""
        return len(self.workloads) or len(self.conditions)

    def called(self, name: str, method: str) -> str:
        """Return what it calls an arm of this name that is of this method."""
        return name if self.local else method

    def is_arm(self, name: str, method: str) -> bool:
        """Return whether it speaks for such an arm."""
        return self.called(name, method) == self.arm

    def is_base(self, name: str, method: str) -> bool:
        """Return whether it compares with such an arm."""
        return self.called(name, method) in self.bases

    @property
    def rivals(self) -> tuple[str, ...]:
        """Return those by whose weakness it would gain: its bases, and its arm where it says that this is no better."""
        worse_to_target = self.quantity in TO_TARGET and self.relation in ("at_most", "equal_within")
        worse_loss = self.quantity == "validation_loss_ratio" and self.relation in ("at_least", "up_to", "equal_within")
        return (*self.bases, self.arm) if worse_to_target or worse_loss else self.bases

    def _problems(self) -> Iterator[str]:
        allowed = _RELATIONS[self.quantity]
        if self.relation not in allowed:
            yield f'relation "{self.relation}" cannot be asked of {self.quantity}, which takes {", ".join(allowed)}'
        if (self.value is None) != (self.quantity == "curvature_growth"):
            yield "value must be a number, except for curvature_growth, which has none"
        elif self.value is not None and not (math.isfinite(self.value) and self.value > 0):
            yield f"value must be above 0, got {self.value:g}"
        for name, listed in (("bases", self.bases), ("workloads", self.workloads)):
            if len(set(listed)) < len(listed):
                yield f"{name} must have none twice, got {list(listed)}"
        if self.arm in self.bases:
            yield f'"{self.arm}" cannot be compared with itself: take it out of bases'
        if self.step is not None and self.quantity not in VALIDATION:
            yield f"step belongs to a validation, which {self.quantity} is not of"
        if self.workloads and self.conditions:
            yield "a claim has workloads, in a suite, or conditions, in a claim file, and not both"


CLAIM_FIELDS = tuple(name for name in field_names(Claim) if name != "local")  # what a file may say
