"""The target of a convergence comparison."""

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Literal

from evabench.settings.strict import Strict

TargetMetric = Literal["loss", "accuracy"]
EASIER_AT, HARDER_AT = 0.5, 0.95  # a verdict that is another at one of these shares of the budget decides nothing
MIN_TARGET_SEEDS = 8


def number_hash(metric: TargetMetric, value: float) -> str:
    """Return 16 hexadecimal digits for a target that is a number: another value is another target."""
    return hashlib.sha256(json.dumps([metric, value]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Strict):
    """A validation loss (lower is better) or accuracy (higher is better) to reach.

    Either a number, and where it comes from; or an arm, whose own runs set it before anything is judged.
    """

    value: float | None = None  # a loss may have any sign
    metric: TargetMetric = "loss"
    provenance: str | None = None  # of the value
    reference: str | None = None  # the arm
    at: float | None = None  # share of the budget within which the reference's runs hit it

    def __post_init__(self) -> None:
        """Refuse two ways to say it, or none, and an accuracy in percent."""
        if (self.value is None) == (self.reference is None):
            raise ValueError(
                "give value, a number with its provenance, or reference, the arm whose own runs set it, and not both"
            )
        if self.value is not None:
            self._check_number(self.value)
        else:
            self._check_reference()

    def _check_number(self, value: float) -> None:
        if self.provenance is None:
            raise ValueError("provenance is missing: say where the value comes from")
        if self.at is not None:
            raise ValueError("at belongs to reference: a value needs no share of a budget")
        if not math.isfinite(value):
            raise ValueError(f"value must be a finite number, got {value}")
        if self.metric == "accuracy" and not 0 < value <= 1:
            raise ValueError(f"an accuracy is a share, above 0 and at most 1, got {value:g}")

    def _check_reference(self) -> None:
        if self.provenance is not None:
            raise ValueError("provenance belongs to value: where a reference's target comes from is known")
        if self.at is None:
            raise ValueError("at is missing: the share of its budget within which the reference hits it, such as 0.75")
        if not EASIER_AT < self.at < HARDER_AT:
            raise ValueError(
                f"at must lie between {EASIER_AT:g} and {HARDER_AT:g}, where the easier and the harder target are set, "
                f"got {self.at:g}"
            )
